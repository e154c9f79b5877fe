#include "store.hpp"
#include "shapes.hpp"
#include <thread>

void visit(const std::map<std::string, double> &all, const std::function<void(const std::string &)> &each) {
    for (const auto &[name, value] : all) {
        try {
            each(name + "=" + std::to_string(value));
        } catch (const BadShape &) {
            throw;
        } catch (const std::logic_error &error) {
            throw BadShape(std::string("logic: ") + error.what(), 8);
        }
    }
}

std::exception_ptr in_thread(const std::string &text) {
    std::exception_ptr caught;
    std::thread thread([&] {
        try {
            delete parse_shape(text);
        } catch (...) {
            caught = std::current_exception();
        }
    });
    thread.join();
    return caught;
}

void nested(const std::string &text) {
    try {
        delete parse_shape(text);
    } catch (...) {
        std::throw_with_nested(std::out_of_range("nested"));
    }
}

bool is_square(const void *shape) {
    return dynamic_cast<const Square *>(static_cast<const Shape *>(shape)) != nullptr;
}
