#ifndef CAFFE_UTIL_ALLOWED_LAYERS_HPP_
#define CAFFE_UTIL_ALLOWED_LAYERS_HPP_

#include <string>
#include <vector>

namespace caffe {

class LayerParameter;

/**
 * @brief What the layers may do that this thread creates while the scope lasts.
 *
 * "compute": compute from blobs, and nothing else. "read": also read the files
 * that the prototxt names. "all", the default: anything, as a Python layer, which
 * runs any module's code, and HDF5Output, which overwrites any file.
 *
 * Layers are allowed by their types, which are listed; one that is not, as a
 * type of a fork's own, needs "all".
 */
class AllowedLayers {
 public:
  explicit AllowedLayers(const std::string& allowed);
  ~AllowedLayers();

  /// @brief Refuses a layer with an Error. The layer factory calls it.
  static void Check(const LayerParameter& layer);
  /// @brief The types that "compute" or "read" lists; "read" without those that
  ///        "compute" has.
  static std::vector<std::string> Types(const std::string& allowed);

 private:
  AllowedLayers(const AllowedLayers&);
  AllowedLayers& operator=(const AllowedLayers&);

  const int before_;
};

}  // namespace caffe

#endif  // CAFFE_UTIL_ALLOWED_LAYERS_HPP_
