// pycaffe's extension module: Caffe's C++ classes in Python.
//
// The GIL is released while Caffe computes, loads and saves, and taken again
// for Python layers and callbacks. So threads can each run a net of their own;
// one net must not run in two threads at once.
//
// Names that start with an underscore are wrapped by pycaffe.py.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl/filesystem.h>
#include <pybind11/stl_bind.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "caffe/caffe.hpp"
#include "caffe/layers/memory_data_layer.hpp"
#include "caffe/layers/python_layer.hpp"
#include "caffe/sgd_solvers.hpp"
#include "caffe/util/allowed_layers.hpp"
#include "caffe/util/gpu.hpp"
#include "caffe/util/limits.hpp"
#include "caffe/util/strict_weights.hpp"
#include "py_blob.hpp"

namespace py = pybind11;
typedef std::filesystem::path FilePath;

namespace caffe {
namespace {

typedef py::call_guard<py::gil_scoped_release> NoGil;

// Holds a Python object in C++; lets go of it with or without the GIL.
shared_ptr<void> Hold(py::object object) {
  PyObject* const address = object.ptr();
  return shared_ptr<void>(address, [object](void*) mutable {
    py::gil_scoped_acquire gil;
    object = py::object();
  });
}

// For convenience, check that input files can be opened, and raise an
// exception if not (caffe could still crash later if the input files are
// disturbed before they are actually used, but this saves frustration in most
// cases).
string Readable(const FilePath& file) {
  if (!std::ifstream(file).good()) {
    LOG(FATAL) << "Could not open file " + file.string();
  }
  return file.string();
}

// ---- logging

void InitLog() {
  // glog aborts when it is initialized twice.
  static const bool once = (::google::InitGoogleLogging(""), true);
  static_cast<void>(once);
  ::google::InstallFailureSignalHandler();
}
void InitLogLevel(int level) {
  FLAGS_minloglevel = level;
  InitLog();
}
void InitLogLevelPipe(int level, bool to_stderr) {
  FLAGS_minloglevel = level;
  FLAGS_logtostderr = to_stderr;
  InitLog();
}

// ---- errors

// caffe.Error, a RuntimeError: Caffe's, with its parts as attributes.
void BindErrors(py::module_ m) {
  static PyObject* const type = PyErr_NewExceptionWithDoc("caffe.Error",
      "What Caffe refuses, and what fails in it.\n\n"
      "Attributes: message, the text alone; layer, the name of the net's layer\n"
      "at work, or None; file and line, the place in Caffe's source.",
      PyExc_RuntimeError, NULL);
  m.attr("Error") = py::handle(type);
  py::register_exception_translator([](std::exception_ptr thrown) {
    try {
      std::rethrow_exception(thrown);
    } catch (const Error& error) {
      // Names from files may be no UTF-8.
      const auto text = [](const string& bytes) {
        return py::reinterpret_steal<py::object>(PyUnicode_DecodeUTF8(
            bytes.data(), bytes.size(), "replace"));
      };
      py::object object = py::handle(type)(text(error.what()));
      object.attr("message") = text(error.message());
      object.attr("layer") = error.layer().empty() ? py::object(py::none())
          : text(error.layer());
      object.attr("file") = text(error.file());
      object.attr("line") = error.line();
      PyErr_SetObject(type, object.ptr());
    }
  });
}

// ---- Net

void CopyFrom(Net<Dtype>* net, const FilePath& file, bool strict) {
  if (strict) {
    CopyTrainedLayersStrictly(Readable(file), net);
  } else {
    net->CopyTrainedLayersFrom(Readable(file));
  }
}

shared_ptr<Net<Dtype> > NetInit(const FilePath& network_file, int phase,
    int level, const py::object& stages, const py::object& weights,
    bool strict, const string& allow) {
  if (!Phase_IsValid(phase)) {
    throw py::value_error("phase is " + std::to_string(phase) +
        ": expected caffe.TRAIN or caffe.TEST");
  }
  vector<string> stage_names;
  if (!stages.is_none()) {
    for (py::handle stage : stages) {
      stage_names.push_back(stage.cast<string>());
    }
  }
  const string network = Readable(network_file);
  const FilePath trained =
      weights.is_none() ? FilePath() : weights.cast<FilePath>();
  if (!trained.empty()) {
    Readable(trained);  // before the net is set up
  }
  py::gil_scoped_release nogil;
  const AllowedLayers allowed(allow);
  shared_ptr<Net<Dtype> > net(new Net<Dtype>(network,
      static_cast<Phase>(phase), level, &stage_names));
  if (!trained.empty()) {
    CopyFrom(net.get(), trained, strict);
  }
  return net;
}

// Legacy Net construct-and-load convenience constructor
shared_ptr<Net<Dtype> > NetInitLoad(const FilePath& network_file,
    const FilePath& weights_file, int phase) {
  LOG(WARNING) << "DEPRECATION WARNING - deprecated use of Python interface";
  LOG(WARNING) << "Use this instead (with the named \"weights\""
      << " parameter):";
  LOG(WARNING) << "Net('" << network_file.string() << "', " << phase
      << ", weights='" << weights_file.string() << "')";
  return NetInit(network_file, phase, 0, py::none(), py::cast(weights_file),
      false, "all");
}

void NetSave(const Net<Dtype>& net, const FilePath& file) {
  NetParameter net_param;
  net.ToProto(&net_param, false);
  WriteProtoToBinaryFile(net_param, file.string());
}

// The values of an array that the data layer can read in place.
Dtype* InputValues(const py::array& array, const string& name, int channels,
    int height, int width) {
  if (!(array.flags() & py::array::c_style)) {
    LOG(FATAL) << name + " must be C contiguous";
  }
  if (array.ndim() != 4) {
    LOG(FATAL) << name + " must be 4-d";
  }
  if (!py::isinstance<py::array_t<Dtype> >(array)) {
    LOG(FATAL) << name + " must be float32";
  }
  if (array.shape(1) != channels) {
    LOG(FATAL) << name + " has wrong number of channels";
  }
  if (array.shape(2) != height) {
    LOG(FATAL) << name + " has wrong height";
  }
  if (array.shape(3) != width) {
    LOG(FATAL) << name + " has wrong width";
  }
  return static_cast<Dtype*>(const_cast<void*>(array.data()));
}

void NetSetInputArrays(Net<Dtype>* net, const py::array& data,
    const py::array& labels) {
  // check that this network has an input MemoryDataLayer
  MemoryDataLayer<Dtype>* layer = net->layers().empty() ? NULL :
      dynamic_cast<MemoryDataLayer<Dtype>*>(net->layers()[0].get());
  if (!layer) {
    LOG(FATAL) << "set_input_arrays may only be called if the"
        " first layer is a MemoryDataLayer";
  }
  Dtype* data_values = InputValues(data, "data array", layer->channels(),
      layer->height(), layer->width());
  Dtype* label_values = InputValues(labels, "labels array", 1, 1, 1);
  if (data.shape(0) != labels.shape(0)) {
    LOG(FATAL) << "data and labels must have the same first"
        " dimension";
  }
  if (data.shape(0) % layer->batch_size() != 0) {
    LOG(FATAL) << "first dimensions of input arrays must be a"
        " multiple of batch size";
  }
  layer->Reset(data_values, label_values, data.shape(0));
  net->keep_alive(layer, Hold(py::make_tuple(data, labels)));
}

class NetCallback : public Net<Dtype>::Callback {
 public:
  explicit NetCallback(const py::function& run) : run_(Hold(run)) {}

 protected:
  virtual void run(int layer) {
    py::gil_scoped_acquire gil;
    py::handle(static_cast<PyObject*>(run_.get()))(layer);
  }

 private:
  shared_ptr<void> run_;
};

template <void (Net<Dtype>::*add)(Net<Dtype>::Callback*)>
void NetAddCallback(Net<Dtype>* net, const py::function& run) {
  shared_ptr<NetCallback> callback(new NetCallback(run));
  net->keep_alive(callback.get(), callback);
  (net->*add)(callback.get());
}

// ---- Blob

vector<int> Shape(const py::args& dims) {
  vector<int> shape;
  for (py::handle dim : dims) {
    shape.push_back(CheckedInt(dim.cast<int64_t>()));
  }
  return shape;
}

// A NumPy view of a blob's data or diff. It owns the memory that it shows: it
// stays valid when the blob is reshaped to a larger size, or goes.
template <const shared_ptr<SyncedMemory>& (Blob<Dtype>::*memory)() const,
          Dtype* (Blob<Dtype>::*values)()>
py::array BlobView(const PyBlob& self) {
  typedef shared_ptr<SyncedMemory> Owner;
  Blob<Dtype>& blob = *self.blob;
  if (blob.count() == 0) {
    if (blob.num_axes() == 0) {
      LOG(FATAL) << "the blob has no data: it was never reshaped";
    }
    return py::array_t<Dtype>(blob.shape());
  }
  const Owner owner = (blob.*memory)();
  Dtype* first;
  {
    // A copy from the GPU waits for the kernels that are under way.
    std::optional<py::gil_scoped_release> nogil;
    if (owner->head() == SyncedMemory::HEAD_AT_GPU) { nogil.emplace(); }
    first = (blob.*values)();
  }
  py::capsule base(new Owner(owner), [](void* held) {
    delete static_cast<Owner*>(held);
  });
  return py::array_t<Dtype>(blob.shape(), first, base);
}

// ---- Layer

vector<Blob<Dtype>*> Pointers(const BlobVec& blobs) {
  vector<Blob<Dtype>*> pointers;
  for (const BlobPtr& blob : blobs) {
    pointers.push_back(blob.get());
  }
  return pointers;
}

// Python layers inherit these two: their setup may be missing, for reshape
// there is no default.
void LayerSetup(Layer<Dtype>* layer, const BlobVec& bottom,
    const BlobVec& top) {
  if (!dynamic_cast<PythonLayer<Dtype>*>(layer)) {
    layer->LayerSetUp(Pointers(bottom), Pointers(top));
  }
}
void LayerReshape(Layer<Dtype>* layer, const BlobVec& bottom,
    const BlobVec& top) {
  if (dynamic_cast<PythonLayer<Dtype>*>(layer)) {
    py::set_error(PyExc_NotImplementedError, ("Python layer " +
        layer->layer_param().name() + " has no method reshape").c_str());
    throw py::error_already_set();
  }
  layer->Reshape(Pointers(bottom), Pointers(top));
}

template <typename T>
shared_ptr<Layer<T> > GetPythonLayer(const LayerParameter& param) {
  py::gil_scoped_acquire gil;
  const PythonParameter& python = param.python_param();
  py::object layer = py::module_::import(python.module().c_str())
      .attr(python.layer().c_str())(param);
  if (!py::isinstance<Layer<T> >(layer)) {
    throw py::type_error("layer " + param.name() + ": " + python.module() +
        "." + python.layer() + " is not a caffe.Layer");
  }
  return shared_ptr<Layer<T> >(Hold(layer), layer.cast<Layer<T>*>());
}

// Float alone, as all of pycaffe.
LayerRegisterer<Dtype> g_creator_f_Python("Python", GetPythonLayer<Dtype>);

// ---- solvers

// Lets Ctrl-C stop a solver: Python's signal handlers run at each iteration.
SolverAction::Enum RunSignalHandlers() {
  py::gil_scoped_acquire gil;
  if (PyErr_CheckSignals() != 0) {
    throw py::error_already_set();
  }
  return SolverAction::NONE;
}

template <typename SolverType>
shared_ptr<SolverType> SolverInit(const FilePath& solver_file,
    const string& allow) {
  py::gil_scoped_release nogil;
  const AllowedLayers allowed(allow);
  shared_ptr<SolverType> solver(new SolverType(Readable(solver_file)));
  solver->SetActionFunction(RunSignalHandlers);
  return solver;
}

Solver<Dtype>* GetSolver(const FilePath& solver_file, const string& allow) {
  const AllowedLayers allowed(allow);
  SolverParameter param;
  ReadSolverParamsFromTextFileOrDie(Readable(solver_file), &param);
  Solver<Dtype>* solver = SolverRegistry<Dtype>::CreateSolver(param);
  solver->SetActionFunction(RunSignalHandlers);
  return solver;
}

class SolverCallback : public Solver<Dtype>::Callback {
 public:
  SolverCallback(const py::function& on_start,
      const py::function& on_gradients_ready)
      : on_start_(Hold(on_start)),
        on_gradients_ready_(Hold(on_gradients_ready)) {}

 protected:
  virtual void on_start() { Call(on_start_); }
  virtual void on_gradients_ready() { Call(on_gradients_ready_); }

 private:
  static void Call(const shared_ptr<void>& function) {
    py::gil_scoped_acquire gil;
    py::handle(static_cast<PyObject*>(function.get()))();
  }

  shared_ptr<void> on_start_, on_gradients_ready_;
};

void SolverAddCallback(Solver<Dtype>* solver, const py::function& on_start,
    const py::function& on_gradients_ready) {
  shared_ptr<SolverCallback> callback(
      new SolverCallback(on_start, on_gradients_ready));
  // The solver's net lives at least as long as the solver.
  solver->net()->keep_alive(callback.get(), callback);
  solver->add_callback(callback.get());
}

// ---- NCCL

#ifdef USE_NCCL
const bool kHasNCCL = true;
#else
const bool kHasNCCL = false;

// A name to import, even where there is nothing behind it.
template <typename T>
class NCCL {
 public:
  NCCL(shared_ptr<Solver<T> >, const string&) {
    LOG(FATAL) << "Caffe was built without NCCL (USE_NCCL)";
  }
};
#endif

// ---- bindings

// A vector type as a Python list of its own kind.
template <typename Vector>
py::class_<Vector> BindVector(py::module_ m, const char* name) {
  typedef typename Vector::value_type T;
  py::class_<Vector> vector = py::bind_vector<Vector, std::unique_ptr<Vector> >(
      m, name);
  // pybind11 has these two for vectors of the same size and for elements of the
  // right type only.
  vector.def("__setitem__",
      [](Vector& self, const py::slice& slice, const py::iterable& values) {
        py::list items(py::cast(&self));
        items[slice] = py::list(values);
        Vector result;
        for (py::handle item : items) {
          result.push_back(item.cast<T>());
        }
        self.swap(result);
      }, py::prepend());
  vector.def("__contains__", [](const Vector&, py::handle) { return false; });
  return vector;
}

template <typename SolverType, typename Base>
py::class_<SolverType, Base, shared_ptr<SolverType> > BindSolver(
    py::module_ m, const char* name) {
  py::class_<SolverType, Base, shared_ptr<SolverType> > solver(m, name);
  solver.def(py::init(&SolverInit<SolverType>), py::arg("solver_file"),
      py::arg("allow") = "all");
  return solver;
}

void BindGlobals(py::module_ m) {
  m.attr("__version__") = AS_STRING(CAFFE_VERSION);
  m.def("init_log", &InitLog);
  m.def("init_log", &InitLogLevel, py::arg("level"));
  m.def("init_log", &InitLogLevelPipe, py::arg("level"), py::arg("stderr"));
  m.def("log", [](const string& message) { LOG(INFO) << message; });
  m.def("has_nccl", [] { return kHasNCCL; });
  m.def("set_mode_cpu", [] { Caffe::set_mode(Caffe::CPU); });
  m.def("set_mode_gpu", [] {
    RequireGpu();
    Caffe::set_mode(Caffe::GPU);
  }, "Raises caffe.Error where there is no GPU, or none that can be used.");
  m.def("set_random_seed", &Caffe::set_random_seed);
  m.def("set_device", &Caffe::SetDevice, py::arg("device_id"),
      "Raises caffe.Error as set_mode_gpu, and where there are fewer GPUs.");
  m.def("solver_count", &Caffe::solver_count);
  m.def("set_solver_count", &Caffe::set_solver_count);
  m.def("solver_rank", &Caffe::solver_rank);
  m.def("set_solver_rank", &Caffe::set_solver_rank);
  m.def("set_multiprocess", &Caffe::set_multiprocess);
  m.def("layer_type_list", &LayerRegistry<Dtype>::LayerTypeList);
  m.def("allowed_layer_types", &AllowedLayers::Types, py::arg("allow"),
      "The types of layers that \"compute\" allows, or that \"read\" does beyond\n"
      "those.");
  m.def("set_memory_limit", &SetMemoryLimit, py::arg("bytes"),
      "How many bytes all blobs of the process may hold; 0 is no limit.");
  m.def("memory_in_use", &MemoryInUse, "The bytes that all blobs hold now.");
}

void BindBlob(py::module_ m) {
  py::class_<PyBlob>(m, "Blob", py::dynamic_attr())
    .def_property_readonly("shape",
        [](const PyBlob& self) { return self.blob->shape(); })
    .def_property_readonly("num",
        [](const PyBlob& self) { return self.blob->num(); })
    .def_property_readonly("channels",
        [](const PyBlob& self) { return self.blob->channels(); })
    .def_property_readonly("height",
        [](const PyBlob& self) { return self.blob->height(); })
    .def_property_readonly("width",
        [](const PyBlob& self) { return self.blob->width(); })
    .def_property_readonly("count",
        [](const PyBlob& self) { return self.blob->count(); })
    .def("reshape", [](const PyBlob& self, const py::args& dims) {
          self.blob->Reshape(Shape(dims));
        })
#ifndef CPU_ONLY
    .def_property_readonly("_gpu_data_ptr", [](const PyBlob& self) {
          return reinterpret_cast<uintptr_t>(self.blob->mutable_gpu_data());
        })
    .def_property_readonly("_gpu_diff_ptr", [](const PyBlob& self) {
          return reinterpret_cast<uintptr_t>(self.blob->mutable_gpu_diff());
        })
#endif
    .def_property_readonly("data",
        &BlobView<&Blob<Dtype>::data, &Blob<Dtype>::mutable_cpu_data>,
        "The values, as a float32 array that shares the blob's memory.")
    .def_property_readonly("diff",
        &BlobView<&Blob<Dtype>::diff, &Blob<Dtype>::mutable_cpu_diff>,
        "The gradients, as a float32 array that shares the blob's memory.");
}

void BindLayer(py::module_ m) {
  py::class_<LayerParameter>(m, "LayerParameter");
  py::class_<Layer<Dtype>, PythonLayer<Dtype>, shared_ptr<Layer<Dtype> > >(
      m, "Layer", py::dynamic_attr(),
      "A layer of a net, and the base class of Python layers.")
    .def(py::init_alias<const LayerParameter&>())
    .def_property_readonly("blobs",
        static_cast<BlobVec& (Layer<Dtype>::*)()>(&Layer<Dtype>::blobs))
    .def("setup", &LayerSetup)
    .def("reshape", &LayerReshape)
    .def_property_readonly("type", &Layer<Dtype>::type);
}

void BindNet(py::module_ m) {
  typedef Net<Dtype> N;
  const py::return_value_policy copy = py::return_value_policy::copy;
  py::class_<N, shared_ptr<N> >(m, "Net", py::dynamic_attr())
    .def(py::init(&NetInit), py::arg("network_file"), py::arg("phase"),
        py::arg("level") = 0, py::arg("stages") = py::none(),
        py::arg("weights") = py::none(), py::arg("strict") = false,
        py::arg("allow") = "all")
    .def(py::init(&NetInitLoad))
    .def("_forward", &N::ForwardFromTo, NoGil())
    .def("_backward", &N::BackwardFromTo, NoGil())
    .def("reshape", &N::Reshape, NoGil())
    .def("clear_param_diffs", &N::ClearParamDiffs, NoGil())
    .def("copy_from", &CopyFrom, py::arg("weights"), py::arg("strict") = false,
        NoGil())
    .def("share_with", &N::ShareTrainedLayersWith, NoGil())
    .def_property_readonly("_blob_loss_weights", &N::blob_loss_weights)
    .def("_bottom_ids", &N::bottom_ids, copy)
    .def("_top_ids", &N::top_ids, copy)
    .def_property_readonly("_blobs", &N::blobs)
    .def_property_readonly("layers", &N::layers)
    .def_property_readonly("_blob_names", &N::blob_names, copy)
    .def_property_readonly("_layer_names", &N::layer_names, copy)
    .def_property_readonly("_inputs", &N::input_blob_indices, copy)
    .def_property_readonly("_outputs", &N::output_blob_indices, copy)
    .def("_set_input_arrays", &NetSetInputArrays)
    .def("save", &NetSave, NoGil())
    .def("save_hdf5", [](const N& net, const FilePath& file) {
          net.ToHDF5(file.string());
        }, NoGil())
    .def("load_hdf5", [](N* net, const FilePath& file) {
          net->CopyTrainedLayersFromHDF5(Readable(file));
        }, NoGil())
    .def("before_forward", &NetAddCallback<&N::add_before_forward>)
    .def("after_forward", &NetAddCallback<&N::add_after_forward>)
    .def("before_backward", &NetAddCallback<&N::add_before_backward>)
    .def("after_backward", &NetAddCallback<&N::add_after_backward>)
#ifdef USE_NCCL
    .def("after_backward", [](N* net, NCCL<Dtype>* nccl) {
          net->add_after_backward(nccl);
        }, py::keep_alive<1, 2>())
#endif
    ;  // NOLINT(whitespace/semicolon)
}

void BindSolvers(py::module_ m) {
  typedef Solver<Dtype> S;
  py::class_<SolverParameter>(m, "SolverParameter")
    .def_property_readonly("max_iter", &SolverParameter::max_iter)
    .def_property_readonly("display", &SolverParameter::display)
    .def_property_readonly("layer_wise_reduce",
        &SolverParameter::layer_wise_reduce)
    .def_property("base_lr", &SolverParameter::base_lr,
        &SolverParameter::set_base_lr);

  py::class_<S, shared_ptr<S> >(m, "Solver", py::dynamic_attr())
    .def_property_readonly("net", &S::net)
    .def_property_readonly("test_nets", &S::test_nets)
    .def_property_readonly("iter", &S::iter)
    .def("add_callback", &SolverAddCallback)
#ifdef USE_NCCL
    .def("add_callback", [](S* solver, NCCL<Dtype>* nccl) {
          solver->add_callback(nccl);
        }, py::keep_alive<1, 2>())
#endif
    .def("solve", [](S* solver) { solver->Solve(); }, NoGil())
    .def("solve", [](S* solver, const FilePath& resume_file) {
          solver->Solve(Readable(resume_file));
        }, NoGil())
    .def("step", &S::Step, NoGil())
    .def("restore", [](S* solver, const FilePath& file) {
          solver->Restore(Readable(file).c_str());
        }, NoGil())
    .def("snapshot", &S::Snapshot, NoGil())
    .def("share_weights", [](S* solver, Net<Dtype>* net) {
          net->ShareTrainedLayersWith(solver->net().get());
        }, NoGil())
    .def("apply_update", &S::ApplyUpdate, NoGil())
    .def_property_readonly("param", &S::param);

  typedef SGDSolver<Dtype> SGD;
  BindSolver<SGD, S>(m, "SGDSolver")
    .def_property_readonly("lr", &SGD::GetLearningRate);
  BindSolver<NesterovSolver<Dtype>, SGD>(m, "NesterovSolver");
  BindSolver<AdaGradSolver<Dtype>, SGD>(m, "AdaGradSolver");
  BindSolver<RMSPropSolver<Dtype>, SGD>(m, "RMSPropSolver");
  BindSolver<AdaDeltaSolver<Dtype>, SGD>(m, "AdaDeltaSolver");
  BindSolver<AdamSolver<Dtype>, SGD>(m, "AdamSolver");
  m.def("get_solver", &GetSolver, py::return_value_policy::take_ownership,
      NoGil(), py::arg("solver_file"), py::arg("allow") = "all");
}

void BindParallel(py::module_ m) {
  py::class_<NCCL<Dtype>, shared_ptr<NCCL<Dtype> > >(m, "NCCL")
    .def(py::init<shared_ptr<Solver<Dtype> >, const string&>(), NoGil())
#ifdef USE_NCCL
    .def_static("new_uid", [] { return py::bytes(NCCL<Dtype>::new_uid()); })
    .def("bcast", &NCCL<Dtype>::Broadcast, NoGil())
#endif
    ;  // NOLINT(whitespace/semicolon)

  py::class_<Timer, shared_ptr<Timer> >(m, "Timer")
    .def(py::init<>())
    .def("start", &Timer::Start)
    .def("stop", &Timer::Stop, NoGil())
    .def_property_readonly("ms", &Timer::MilliSeconds);
}

void BindVectors(py::module_ m) {
  BindVector<BlobVec>(m, "BlobVec")
    .def("add_blob", [](BlobVec& blobs, const py::args& dims) {
          blobs.push_back(BlobPtr(new Blob<Dtype>(Shape(dims))));
        });
  m.attr("RawBlobVec") = m.attr("BlobVec");
  BindVector<vector<shared_ptr<Layer<Dtype> > > >(m, "LayerVec");
  BindVector<vector<string> >(m, "StringVec");
  BindVector<vector<int> >(m, "IntVec");
  BindVector<vector<Dtype> >(m, "DtypeVec");
  BindVector<vector<shared_ptr<Net<Dtype> > > >(m, "NetVec");
  BindVector<vector<bool> >(m, "BoolVec");
}

}  // namespace

PYBIND11_MODULE(_caffe, m) {
  BindErrors(m);
  BindGlobals(m);
  BindBlob(m);
  BindLayer(m);
  BindNet(m);
  BindSolvers(m);
  BindParallel(m);
  BindVectors(m);
}

}  // namespace caffe
