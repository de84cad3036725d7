#include <cstring>
#include <string>

#include "caffe/error.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

namespace {

thread_local const LayerScope* current_scope = NULL;

std::string BaseName(const char* path) {
  const char* slash = std::strrchr(path, '/');
  return slash ? slash + 1 : path;
}

// CHECK leaves a space at the end where nothing follows.
std::string Trimmed(const std::string& text) {
  return text.substr(0, text.find_last_not_of(" \n") + 1);
}

std::string FullText(const char* file, int line, const std::string& message) {
  const LayerScope* scope = LayerScope::Current();
  return (scope ? scope->Prefix() : "") + Trimmed(message) + " (" +
      BaseName(file) + ":" + std::to_string(line) + ")";
}

}  // namespace

Error::Error(const char* file, int line, const std::string& message)
    : std::runtime_error(FullText(file, line, message)),
      message_(Trimmed(message)), file_(BaseName(file)), line_(line) {
  if (LayerScope::Current()) {
    layer_ = LayerScope::Current()->layer();
  }
}

Error::~Error() {}

LayerScope::LayerScope(const LayerParameter& layer)
    : layer_(&layer), outer_(current_scope), before_(current_scope) {
  current_scope = this;
}

LayerScope::LayerScope(const LayerScope* other)
    : layer_(NULL), outer_(other), before_(current_scope) {
  current_scope = this;
}

LayerScope::~LayerScope() {
  current_scope = before_;
}

const LayerScope* LayerScope::Current() {
  return current_scope;
}

const std::string& LayerScope::layer() const {
  static const std::string none;
  if (outer_ && !outer_->layer().empty()) {
    return outer_->layer();
  }
  return layer_ ? layer_->name() : none;
}

std::string LayerScope::Prefix() const {
  return (outer_ ? outer_->Prefix() : "") + (layer_ ? "layer " +
      layer_->name() + " (" + layer_->type() + "): " : "");
}

}  // namespace caffe
