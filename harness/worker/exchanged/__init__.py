"""Networks that come as ONNX files: read strictly, and built of torch's own operators."""
