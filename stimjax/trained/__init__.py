"""Students that are kept and used: a folder, an ONNX file, an estimator of scikit-learn."""
