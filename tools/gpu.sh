#!/usr/bin/env bash
# Caffe on a card.
#
#   tools/gpu.sh run [gtest] [pytest] [bench]
# runs the parts named, or all: Caffe's whole C++ suite with the tests of our layers,
# tests/gpu, and the benchmarks: our layers' bandwidth, and SKNet-50 compiled beside
# PyTorch, where that is installed. It takes the build folder BUILD (build), of
# -DCPU_ONLY=OFF, with its targets all and caffe_test built, and the Python PYTHON
# (.venv/bin/python) that has caffe and sknet. Each part's text goes to the folder OUT
# (BUILD/gpu-results). It ends with 1 if a part failed. A process of the C++ suite may
# take LIMIT seconds (500).
#
#   tools/gpu.sh pack [ARCHIVE]
# makes ARCHIVE (BUILD/gpu.tar.xz) of the build, for a machine where nothing is
# built or installed: with the libraries that it needs beside a system's and NVIDIA's.
# That machine has a driver, and a python3 of the same version with numpy, protobuf,
# pillow, matplotlib and pytest, and with CUDA's libraries as its packages nvidia-*,
# or as the system's. There:
#   python3 -m tarfile -e gpu.tar.xz && gpu/tools/gpu.sh run
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
BUILD=$(realpath -m "${BUILD:-$root/build}")

die() { echo "gpu.sh: $*" >&2; exit 1; }

# ---- pack

# The libraries of these files that no system and no driver has.
libraries() {
  ldd "$@" | sed -n 's/^\t\([^ ]*\) => \(\/[^ ]*\) .*/\1 \2/p' | sort -u | grep -vE \
    -e '^lib(c|m|dl|rt|util|pthread|resolv|anl|stdc\+\+|gcc_s)\.so' \
    -e '^lib(caffe|caffe_engine|cuda|cudart|cublas|cublasLt|curand|cudnn|nccl)\.so'
}

pack() {
  local archive python package
  archive=$(realpath -m "${1:-$BUILD/gpu.tar.xz}")
  python=$(sed -n 's/^Python_EXECUTABLE:[A-Z]*=//p' "$BUILD/CMakeCache.txt")
  stage=$(mktemp -d)
  trap 'rm -r "$stage"' EXIT
  mkdir -p "$stage"/gpu/build/{test,lib,site,caffe/src/caffe/test}
  # A build folder that has all that `run` looks for.
  package=$stage/gpu/build/site/caffe
  cmake --install "$BUILD" --component wheel --strip --prefix "$package" >&2
  strip -o "$stage/gpu/build/test/test.testbin" "$BUILD/test/test.testbin"
  cp -r "$BUILD/caffe/src/caffe/test/test_data" "$stage/gpu/build/caffe/src/caffe/test"
  libraries "$BUILD/test/test.testbin" "$BUILD"/python/caffe/*.so |
    while read -r name path; do
      strip --strip-unneeded -o "$stage/gpu/build/lib/$name" "$(realpath "$path")"
    done
  "$python" -m pip install --quiet --no-deps --target "$stage/gpu/build/site" \
    six tqdm mlxtend >&2
  (cd "$root" && git ls-files -z prototxt python pyproject.toml tests tools |
    xargs -0 cp --parents -t "$stage/gpu")
  tar -C "$stage" -c gpu | xz -T0 > "$archive"
  ls -lh "$archive" >&2
}

# ---- run

# NVIDIA's libraries: those of the packages, before the toolkit's.
nvidia_folders() {
  "$PYTHON" -c 'import glob, nvidia
print(*(lib for path in nvidia.__path__ for lib in glob.glob(path + "/*/lib")), sep=":")' \
    2>/dev/null || true
}

# What the results are of: the card and its driver, and what Caffe has loaded.
machine() {
  nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader || true
  "$PYTHON" - <<'PY' || true
import ctypes, platform, re
import caffe
with open("/proc/self/maps") as file:
    maps = file.read()
def call(library, function, *arguments):
    path = re.search(rf"/\S*/{library}\.so\S*", maps)[0]
    return getattr(ctypes.CDLL(path), function)(*arguments)
cuda = ctypes.c_int()
call("libcudart", "cudaRuntimeGetVersion", ctypes.byref(cuda))
print(f"CUDA {cuda.value}, cuDNN {call('libcudnn', 'cudnnGetVersion')}, "
      f"Python {platform.python_version()}")
PY
}

# Caffe's suite. Processes that share a card wait for each other's slices of its time,
# except under NVIDIA's MPS: where that starts, eight have the tests that are on the
# card, else one; others share those that are not. After a kernel's failure a process
# can use its card no more, and some are made to end: what has not passed by then is
# run again, each test in a process of its own.
gtest() {
  local folder again on_card='*/2.*:*/3.*:*GPU*:*CuDNN*:Im2colKernelTest*' on_it=1
  folder=$(mktemp -d)
  trap "trap '' INT TERM; stop_mps; rm -rf '$folder'" EXIT
  trap 'exit 1' INT TERM
  if start_mps "$folder/mps"; then on_it=8; else stop_mps; fi
  "$PYTHON" "$root/tests/caffe_folder.py" "$folder" "$BUILD"
  # The tests' matrices are tiny: threads only wait for each other.
  export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=2 OMP_WAIT_POLICY=PASSIVE
  export GLOG_minloglevel=2 testbin=$BUILD/test/test.testbin
  cd "$folder"
  "$testbin" --gtest_list_tests | awk '/^[^ ]+\./ { suite = $1 }
    /^  / && !/DISABLED_/ { print suite $1 }' | sort > all
  [ -s all ] || return 1
  start_tests card $on_it "$on_card"
  start_tests host $(($(nproc) < 8 ? $(nproc) : 8)) "-$on_card"
  wait
  stop_mps  # under which one's failure may be all others'
  list_passed ./*.log
  # So many that there is time for them.
  again=$(comm -23 all passed | head -n 100 | tee alone | wc -l)
  mkdir runs
  xargs < alone -P 4 -I{} bash -c 'test={}; timeout --foreground 60 \
    "$testbin" --gtest_filter="$test" > "runs/${test//\//-}" 2>&1'
  list_passed ./*.log $(find runs -type f)
  echo "$(wc -l < passed) of $(wc -l < all) C++ tests passed;" \
    "$again were run again, by themselves"
  if comm -23 all passed | grep .; then
    echo "have not passed."
    grep -rvE '^\[( RUN |       OK|---|===|  PASSED)|^Note|^C(uda|urrent) |^$' runs
    false
  fi
}

# MPS of our own, but where the user has one; its files are in a folder. Whether Caffe
# then works.
start_mps() {
  [ -z "${CUDA_MPS_PIPE_DIRECTORY:-}" ] || return
  command -v nvidia-cuda-mps-control > /dev/null || return
  mkdir "$1"
  mps=$1
  export CUDA_MPS_PIPE_DIRECTORY=$1 CUDA_MPS_LOG_DIRECTORY=$1
  nvidia-cuda-mps-control -d &&
    timeout --foreground 60 "$PYTHON" -c 'import caffe; caffe.set_mode_gpu()'
}

stop_mps() {
  [ -n "${mps:-}" ] || return 0
  echo quit | timeout --foreground 60 nvidia-cuda-mps-control || true
  unset mps CUDA_MPS_PIPE_DIRECTORY CUDA_MPS_LOG_DIRECTORY
}

# Tests shared out to processes: the name of their logs, how many, the tests.
start_tests() {
  local shard
  for ((shard = 0; shard < $2; ++shard)); do
    GTEST_TOTAL_SHARDS=$2 GTEST_SHARD_INDEX=$shard \
      timeout --foreground "${LIMIT:-500}" \
      "$testbin" --gtest_filter="$3" > "$1-$shard.log" 2>&1 &
  done
}

# The file `passed`: the names of the tests that have, in these logs.
list_passed() {
  cat "$@" | sed -n 's/^\[       OK \] \([^ ,]*\).*/\1/p' | sort -u > passed
}

pytest() {
  timeout --foreground 400 \
    "$PYTHON" -m pytest -p no:cacheprovider -ra "$root/tests/gpu"
}

bench() {
  local status=0
  timeout --foreground 200 "$PYTHON" "$root/tools/bench_gpu_layers.py" || status=1
  # torch.compile takes a minute to begin, for each batch.
  timeout --foreground 600 \
    "$PYTHON" -m sknet bench sknet50 --gpu 0 --batch 1,32,128 --seconds 6 \
    --engines compiled-f16,torch-f16,torch-amp-f16,torch-compile-f16 || status=1
  return $status
}

run() {
  local out part status=0
  for part; do
    [[ $part =~ ^(gtest|pytest|bench)$ ]] || die "$part: expected gtest, pytest or bench"
  done
  out=$(realpath -m "${OUT:-$BUILD/gpu-results}")
  mkdir -p "$out"
  if [ -d "$BUILD/site" ]; then
    PYTHON=${PYTHON:-python3}
    export PYTHONPATH=$BUILD/site:$root/python
    export LD_LIBRARY_PATH=$(nvidia_folders):$BUILD/lib:$BUILD/site/caffe:/usr/local/cuda/lib64
  fi
  PYTHON=${PYTHON:-$root/.venv/bin/python}
  cd "$root"
  "$PYTHON" -c 'import caffe; caffe.set_mode_gpu()' 2> "$out/machine.txt" ||
    die "$(tail -n 1 "$out/machine.txt")"
  machine 2>&1 | tee "$out/machine.txt"
  [ $# -gt 0 ] || set -- gtest pytest bench
  for part; do
    echo "== $part"
    # A process group, all of which is ended with this script.
    set -m
    (set +m && "$part") > "$out/$part.txt" 2>&1 &
    set +m
    trap "kill -- -$! 2> /dev/null || true; wait $! || true; exit 1" INT TERM
    wait $! || { status=1; echo "$part failed"; }
    tail -n 25 "$out/$part.txt"
  done
  return $status
}

case ${1:-} in
  pack | run) "$@" ;;
  *) sed -n '2,/^set/s/^# \?//p' "$0"; exit 2 ;;
esac
