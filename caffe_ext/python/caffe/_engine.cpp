// Compiled programs in Python; compiled.py wraps them. A module of its own: Caffe
// needs neither oneDNN nor OpenMP.
#include <pybind11/stl.h>

#include "caffe/program.hpp"
#include "py_blob.hpp"

namespace py = pybind11;

namespace caffe {

PYBIND11_MODULE(_engine, m) {
  typedef py::call_guard<py::gil_scoped_release> NoGil;
  py::class_<StepInfo>(m, "StepInfo", "A step of a compiled program.")
    .def_readonly("kind", &StepInfo::kind)
    .def_readonly("implementation", &StepInfo::implementation)
    .def_readonly("layers", &StepInfo::layers)
    .def_readonly("milliseconds", &StepInfo::milliseconds)
    .def_readonly("gflops", &StepInfo::gflops);
  py::class_<Program>(m, "Program")
    .def(py::init<const Net<float>&, int, const vector<string>&,
                  const string&>(), NoGil())
    .def("forward", &Program::Forward, NoGil())
    .def("reshape", &Program::Reshape, NoGil())
    .def("explain", &Program::Explain, py::arg("iterations") = 10, NoGil())
    .def_property_readonly("activation_bytes", &Program::ActivationBytes)
    .def_property_readonly("inputs", &Program::input_names)
    .def_property_readonly("outputs", &Program::output_names)
    .def_property_readonly("input_blobs", [](const Program& program) {
          return py::cast(vector<BlobPtr>(program.inputs()));
        })
    .def_property_readonly("output_blobs", [](const Program& program) {
          return py::cast(vector<BlobPtr>(program.outputs()));
        });
}

}  // namespace caffe
