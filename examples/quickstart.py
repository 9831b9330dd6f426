"""From a folder RECORDINGS of scored EDF files to an audited release."""

import stimjax as sj

sj.prepare(["RECORDINGS"], "WINDOWS", sj.config.Prepare(rate=1.0))  # private
windows = sj.load_windows("WINDOWS")
fit = sj.config.Fit(steps=100)  # in earnest leave it away
teacher = sj.train_teacher(windows, sj.config.Teacher(networks=("cnn",), fit=fit))
release = sj.synthesize(teacher, sj.config.Synthesis(count=1000), out="RELEASE")
students = sj.config.Study(students=("cnn", "logistic"), seeds=1, fit=fit)
results = sj.study(release, windows, students)
for loss in results.summary:
    print(f"{loss.student} on {loss.trained_on}: kappa {loss.kappa_gap:.3f} below real windows")
privacy = sj.audit("RELEASE", windows, sj.config.Audit(attacks=("nearest", "domias")))
for entry in privacy.attacks:
    print(f"{entry.attack}, {entry.metric} of a {entry.level}: {entry.value} ({entry.chance})")
