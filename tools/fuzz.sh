#!/usr/bin/env bash
# Fuzzes libcaffe with libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer:
#   tools/fuzz.sh [--seconds N] [--seed N] [TARGET...]
# Builds in build/fuzz (some minutes the first time), runs each target (of
# tests/fuzz; default: all) on what was found before, and then for N seconds (60)
# from the zoo's seeds and the corpus, which grows in build/fuzz/corpus. With a seed
# but 0, the inputs are the same each time. Prints a line for each target; an input
# that ends the process is left in build/fuzz/found, its log in
# build/fuzz/TARGET.log, and the exit code is then 1.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=60
seed=0
targets=()
while [ $# -gt 0 ]; do
  case $1 in
    --seconds) seconds=$2; shift 2 ;;
    --seed) seed=$2; shift 2 ;;
    *) targets+=("$1"); shift ;;
  esac
done
if [ ${#targets[@]} = 0 ]; then
  for source in tests/fuzz/*.cpp; do
    targets+=("$(basename "$source" .cpp)")
  done
fi

[ -f build/.installed ] || tools/setup.sh
tools/packages.sh tools/apt-packages-fuzz.txt
export PATH=$PWD/.venv/bin:$PATH
out=$PWD/build/fuzz
mkdir -p "$out"
ln -sfn ../download "$out/download"  # the source is there already
# A unity build without optimisation takes a third of the time.
[ -f "$out/build.ninja" ] || cmake -S . -B "$out" -G Ninja -DFUZZ=ON \
  -DSANITIZE=address,undefined -DCMAKE_BUILD_TYPE=None \
  -DCMAKE_CXX_FLAGS="-O0 -DNDEBUG" -DCMAKE_UNITY_BUILD=ON \
  -DCMAKE_UNITY_BUILD_BATCH_SIZE=12 -DUSE_LEVELDB=OFF -DBUILD_python=OFF \
  -DPython_EXECUTABLE="$PWD/.venv/bin/python" \
  -DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19 >&2
cmake --build "$out" --target "${targets[@]/#/fuzz_}" >&2
python tests/fuzz/seeds.py "$out" "$out/python/caffe/proto"

export ASAN_SYMBOLIZER_PATH=/usr/bin/llvm-symbolizer-19
export LSAN_OPTIONS=print_suppressions=0:suppressions=$PWD/tests/fuzz/leaks.txt
export UBSAN_OPTIONS=print_stacktrace=1
export OPENBLAS_NUM_THREADS=1
export OPENCV_IO_MAX_IMAGE_PIXELS=$((1 << 20))  # OpenCV's memory, not the limit's
failed=0
for target in "${targets[@]}"; do
  log=$out/$target.log
  found=$out/found/$target
  known=$PWD/tests/fuzz/findings/$target
  mkdir -p "$found" "$out/corpus/$target" "$out/empty"
  [ -d "$known" ] || known=$out/empty
  status=0
  (
    cd "$(mktemp -d -p /dev/shm)"  # quick: each input is written to a file
    trap 'rm -rf "$PWD"' EXIT
    cp -r "$out/run/." .
    limits=(-timeout=10 -rss_limit_mb=2048 -artifact_prefix="$found/")
    if [ -n "$(ls "$known")" ]; then
      "$out/targets/$target" "${limits[@]}" "$known"/*
    fi
    "$out/targets/$target" "${limits[@]}" -max_len=16384 -print_final_stats=1 \
      -seed="$seed" \
      -max_total_time="$seconds" "$out/corpus/$target" "$out/seeds/$target" "$known"
  ) >"$log" 2>&1 || status=$?
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -1)
  edges=$(sed -n 's/^#.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -1)
  echo "$target: ${executions:-0} executions, ${edges:-0} edges," \
    "$([ $status = 0 ] && echo "no finding" || echo "a finding, see $log")"
  # What a child process of OpenHDF5 left is no finding: it is there to fail.
  [ $status = 0 ] && rm -rf "$found" || failed=1
done
exit $failed
