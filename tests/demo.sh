# The whole pipeline on drawn data: train, judge, predict, export, predict again. No network.
# usage: demo.sh FOLDER, with `fmnist` on the PATH
set -eu
folder=$1
data=synthetic:4000

run() {
    echo
    echo "\$ $*"
    "$@"
}

run fmnist train --recipe fast --data "$data" --output "$folder/model.pt" --run-dir "$folder/run"
run fmnist evaluate "$folder/model.pt"
run fmnist show --data "$data" --split test --count 10 --output "$folder/pictures/"
run fmnist predict "$folder/model.pt" "$folder/pictures" --format table
run fmnist export-onnx "$folder/model.pt"
run fmnist predict "$folder/model.onnx" "$folder/pictures" --format jsonl
echo
echo "The pipeline works. These garments were drawn by the program: now train on the real ones."
