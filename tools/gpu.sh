#!/usr/bin/env bash
# Caffe on a card.
#
#   tools/gpu.sh run [gtest] [pytest] [bench]
# runs the parts named, or all: Caffe's whole C++ suite with the tests of our layers,
# tests/gpu, and the benchmark of our layers. It takes the build folder BUILD (build),
# of -DCPU_ONLY=OFF, with its targets all and caffe_test built, and the Python PYTHON
# (.venv/bin/python) that has caffe and sknet. Each part's text goes to the folder OUT
# (BUILD/gpu-results). It ends with 1 if a part failed.
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

# Each suite in a process of its own: after a kernel's failure, a process can use its
# card no more.
gtest() {
  local folder suites passed failed
  folder=$(mktemp -d)
  "$PYTHON" "$root/tests/caffe_folder.py" "$folder" "$BUILD"
  export OPENBLAS_NUM_THREADS=1 GLOG_minloglevel=2
  export testbin=$BUILD/test/test.testbin
  cd "$folder"
  suites=$("$testbin" --gtest_list_tests | grep -oE '^[A-Za-z0-9_/]+\.')
  mkdir log
  # Many are on the CPU, and all begin there.
  xargs -P "$(nproc)" -I{} bash -c '
    name={}; log=log/${name//\//-}log
    timeout 200 "$testbin" --gtest_filter="$name*" > $log 2>&1 || {
      status=$?
      grep -q "^\[==========\].* ran" $log ||
        echo "[  FAILED  ] $name* ended with $status" >> $log; }' <<< "$suites"
  cat log/* | grep -vE '^\[ RUN |^\[       OK|^\[---|^\[===|^Note|^C(uda|urrent) |^$' |
    grep -v '^\[  PASSED  \]' || true
  passed=$(cat log/* | grep -c '^\[       OK')
  failed=$(cat log/* | grep -c '^\[  FAILED  \].*\( ms)\|ended with\)')
  echo "$passed C++ tests passed, $failed failed"
  [ "$passed" -gt 0 ] && [ "$failed" = 0 ]
}

pytest() {
  timeout 400 "$PYTHON" -m pytest -p no:cacheprovider -ra "$root/tests/gpu"
}

bench() {
  timeout 200 "$PYTHON" "$root/tools/bench_gpu_layers.py"
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
    ("$part") > "$out/$part.txt" 2>&1 || { status=1; echo "$part failed"; }
    tail -n 25 "$out/$part.txt"
  done
  return $status
}

case ${1:-} in
  pack | run) "$@" ;;
  *) sed -n '2,/^set/s/^# \?//p' "$0"; exit 2 ;;
esac
