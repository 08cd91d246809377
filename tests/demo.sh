# The whole pipeline, offline, on the sample of real images in the package.
# usage: demo.sh DIR, with `fmnist` on the PATH
set -eu
dir=$1

run() {
    echo
    echo "\$ $*"
    "$@"
}

run fmnist train --data sample --recipe fast --epochs 5 --batch-size 64 --output "$dir/model.pt" --run-dir "$dir/run"
run fmnist evaluate "$dir/model.pt"
run fmnist show --data sample --split test --count 10 --output "$dir/pictures/"
run fmnist predict "$dir/model.pt" "$dir/pictures" --format table
run fmnist export-onnx "$dir/model.pt"
run fmnist predict "$dir/model.onnx" "$dir/pictures" --format jsonl
run fmnist compare "$dir/model.pt" "$dir/model.onnx" --data sample
echo
echo "The pipeline works. The model was trained on 2,000 real images; now train on all 60,000: make train"
