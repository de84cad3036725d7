#ifndef CAFFE_UTIL_STRICT_WEIGHTS_HPP_
#define CAFFE_UTIL_STRICT_WEIGHTS_HPP_

#include <string>

#include "caffe/net.hpp"

namespace caffe {

/**
 * @brief CopyTrainedLayersFrom, which ignores what it does not find, made
 *        strict: an Error that names them where layers of the net get no
 *        weights, or layers with weights in the file are not the net's.
 *
 * Then, nothing has been copied.
 */
template <typename Dtype>
void CopyTrainedLayersStrictly(const std::string& file, Net<Dtype>* net);

}  // namespace caffe

#endif  // CAFFE_UTIL_STRICT_WEIGHTS_HPP_
