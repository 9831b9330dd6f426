"""The labels that are written down for other software, held against the rules themselves."""

import pytest

from stimjax.data import channels, montage
from stimjax.data.channels import ALIASES
from stimjax.data.labels import Labels, labels
from stimjax.data.recording import SignalHeader

EEG = ("EEG C4-M1", "EEG Fpz-Cz", "EEG C3", "EEG C3-LE", "EEG 2", "EEG")
UNITS = {"EEG": "uV", "EOG": "uV", "EMG": "uV"}


def stands(label: str, own: Labels) -> int:
    """The place of the first source that a label stands for by itself; -1 for none."""
    plain = channels.letters(label)
    bare = [plain]
    bare += [plain[len(one) :] for one in own.before if plain.startswith(one)]
    bare += [plain[: -len(one)] for one in own.behind if plain.endswith(one)]
    found = (i for i, s in enumerate(own.sources) if not s.less and set(bare) & set(s.label))
    return next(found, -1)


def test_every_alias_stands_for_its_channel_alone_and_in_the_order_of_preference() -> None:
    table = {name: labels(name) for name in ALIASES}
    for name, aliases in ALIASES.items():
        for label in (*aliases, f"Resp {aliases[0]}", f"{aliases[0]} belt", f"{aliases[0]} 3"):
            known = channels.known(label)
            found = {other for other, own in table.items() if stands(label, own) >= 0}
            assert found == ({known} if known in table else set()), label
        ranks = {label: channels.preference(label) for label in aliases}
        for label, rank in ranks.items():
            for other, behind in ranks.items():
                if rank < behind:
                    assert stands(label, table[name]) < stands(other, table[name])


@pytest.mark.parametrize("name", [*EEG, *ALIASES])
def test_every_written_label_is_known_by_the_rules(name: str) -> None:
    own = labels(name)
    unit = UNITS.get(name.split()[0], "")
    for source in own.sources:
        for label in source.label:
            if not source.less:
                assert channels.known(label, unit) == name
    assert channels.known(own.sources[0].label[0], unit) == name


@pytest.mark.parametrize("name", ["EEG C4-M1", "EEG Fpz-Cz", "EOG left"])
def test_electrodes_with_a_reference_of_their_own_are_a_difference(name: str) -> None:
    for source in labels(name).sources:
        for one in source.label if source.less else ():
            for ear in source.less:
                signals = [SignalHeader(x, channels.known(x, "uV"), "uV", 100) for x in (one, ear)]
                assert montage.pick(signals, [name], "f")[name].indices == (0, 1)


def test_of_two_of_a_kind_each_has_its_own_labels() -> None:
    thermal, pressure = labels("Thermistor"), labels("Nasal Pressure")
    assert stands("Oronasal", thermal) == 0 and stands("Cannula", thermal) == -1
    assert stands("Oronasal", pressure) == -1 and stands("Cannula", pressure) == 0


def test_a_name_that_no_rule_knows_stands_for_itself() -> None:
    assert [source.label for source in labels("Ohr, links").sources] == [("ohrlinks",)]
