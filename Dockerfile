# Serve an exported model without torch; see docs/serving.md.
#   docker build -t fmnist .
#   docker run --rm -p 127.0.0.1:8000:8000 -v "$PWD/model.onnx:/model.onnx:ro" fmnist
FROM python:3.11-slim
WORKDIR /src
COPY . .
RUN pip install --no-cache-dir -c constraints.txt -r requirements-light.txt -r requirements-serve.txt
RUN pip install --no-cache-dir --no-deps .
USER nobody
WORKDIR /
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health')"]
CMD ["fmnist", "serve", "/model.onnx", "--host", "0.0.0.0"]
