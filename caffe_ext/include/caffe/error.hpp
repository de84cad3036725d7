#ifndef CAFFE_ERROR_HPP_
#define CAFFE_ERROR_HPP_

#include <stdexcept>
#include <string>

namespace caffe {

class LayerParameter;

/**
 * @brief What Caffe throws where BVLC's ends the process: bad input, a fault of
 *        a file, of a device, or of memory.
 *
 * what() is all of it in one text:
 * "layer conv1 (Convolution): <message> (conv_layer.cpp:12)".
 */
class Error : public std::runtime_error {
 public:
  /// @brief Thrown at a line of a file; the layer is that of the LayerScope.
  Error(const char* file, int line, const std::string& message);
  virtual ~Error();

  /// @brief The text alone, without layer and place.
  const std::string& message() const { return message_; }
  /// @brief The name of the net's layer at work; empty where there is none.
  const std::string& layer() const { return layer_; }
  /// @brief The source file, without its folder.
  const std::string& file() const { return file_; }
  int line() const { return line_; }

 private:
  std::string message_, layer_, file_;
  int line_;
};

/**
 * @brief While it lives, errors of this thread name the layer.
 *
 * A layer that runs a net of its own (RNN, LSTM) comes before that net's layer:
 * "layer lstm1 (LSTM): layer gates (InnerProduct): ...".
 */
class LayerScope {
 public:
  explicit LayerScope(const LayerParameter& layer);
  /// @brief On a thread that works for another: in the scope of that one.
  explicit LayerScope(const LayerScope* other);
  ~LayerScope();

  /// @brief This thread's innermost scope, or NULL.
  static const LayerScope* Current();
  /// @brief The outermost layer's name: the one in the user's own net.
  const std::string& layer() const;
  /// @brief "layer NAME (TYPE): " of all scopes, the outermost first.
  std::string Prefix() const;

 private:
  LayerScope(const LayerScope&);
  LayerScope& operator=(const LayerScope&);

  const LayerParameter* const layer_;
  const LayerScope* const outer_;
  const LayerScope* const before_;
};

}  // namespace caffe

#endif  // CAFFE_ERROR_HPP_
