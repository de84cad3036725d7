#ifndef CAFFE_TOOLS_PYTHON_HOST_HPP_
#define CAFFE_TOOLS_PYTHON_HOST_HPP_

#include <gflags/gflags.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "caffe/layer_factory.hpp"

namespace caffe {

// The caffe command has no Python in it. Where a net has a Python layer, start
// the command again within Python (caffe/__main__.py), which has such layers.
// Nothing is lost: a tool creates its nets before anything else.
template <typename Dtype>
shared_ptr<Layer<Dtype> > RestartInPython(const LayerParameter& param) {
  const char* python = std::getenv("CAFFE_PYTHON");
  CHECK(python) << "Layer " << param.name() << " is a Python layer: run this "
      "by pycaffe, as \"python -m caffe <command> <args>\"";
  vector<string> args = gflags::GetArgvs();
  vector<const char*> argv = {python, "-m", "caffe"};
  for (size_t i = 1; i < args.size(); ++i) {
    argv.push_back(args[i].c_str());
  }
  argv.push_back(NULL);
  execv(python, const_cast<char**>(argv.data()));
  LOG(FATAL) << "Cannot run " << python << ": " << strerror(errno);
}

inline void RegisterPythonHost() {
  // Within Python, pycaffe has registered the real one.
  if (LayerRegistry<float>::Registry().count("Python") == 0) {
    LayerRegistry<float>::AddCreator("Python", RestartInPython<float>);
  }
}

}  // namespace caffe

#endif
