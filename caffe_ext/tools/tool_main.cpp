// Every tool's main: runs the tool's own, and makes one line of its errors.

#include <exception>
#include <iostream>
#include <new>

int caffe_tool_main(int argc, char** argv);

int main(int argc, char** argv) {
  try {
    return caffe_tool_main(argc, argv);
  } catch (const std::bad_alloc&) {
    std::cerr << "out of memory" << std::endl;
  } catch (const std::exception& error) {
    std::cerr << error.what() << std::endl;
  }
  return 1;
}
