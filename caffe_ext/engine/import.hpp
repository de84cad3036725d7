#ifndef CAFFE_ENGINE_IMPORT_HPP_
#define CAFFE_ENGINE_IMPORT_HPP_

#include <memory>
#include <string>
#include <vector>

#include "caffe/net.hpp"
#include "engine/graph.hpp"

namespace caffe {
namespace engine {

/**
 * @brief A net's layers and weights as a graph, as far as outputs need them.
 *
 * @param outputs names of blobs
 * Throws caffe::Error where the net is not of phase TEST, or has no such blob.
 */
std::unique_ptr<Graph> Import(const Net<float>& net,
                              const std::vector<std::string>& outputs);

}  // namespace engine
}  // namespace caffe

#endif  // CAFFE_ENGINE_IMPORT_HPP_
