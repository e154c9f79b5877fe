#include "shapes.hpp"
#include "store.hpp"
#include <iostream>
#include <memory>
#include <sstream>
#include <thread>

#if defined(__x86_64__)
#define LANES 8
#else
#define LANES 4
#endif

static int faults = 0;

static void check(bool right, const char *what) {
    if (!right) {
        std::cout << "wrong: " << what << std::endl;
        ++faults;
    }
}

int main() {
    std::unique_ptr<Shape> shape(parse_shape("square 3"));
    check(shape->area() == 9, "virtual call");
    check(dynamic_cast<Square *>(shape.get()) != nullptr, "dynamic_cast");
    check(is_square(shape.get()), "dynamic_cast in a library");
    check(typeid(*shape) == typeid(Square), "typeid");
    try {
        parse_shape("circle");
        check(false, "no exception");
    } catch (const BadShape &error) {
        check(error.code == 7, "exception of a library");
    } catch (...) {
        check(false, "the type of an exception of a library");
    }
    try {
        visit({{"a", 1}}, [](const std::string &text) { throw std::invalid_argument(text); });
        check(false, "no exception from a callback");
    } catch (const BadShape &error) {
        check(error.code == 8 && std::string(error.what()) == "logic: a=1.000000", "translation");
    } catch (...) {
        check(false, "the type of a translated exception");
    }
    try {
        std::rethrow_exception(in_thread("circle"));
    } catch (const std::runtime_error &error) {
        check(std::string(error.what()) == "no shape: circle", "exception of a thread");
    }
    try {
        nested("circle");
    } catch (const std::exception &outer) {
        try {
            std::rethrow_if_nested(outer);
            check(false, "no nested exception");
        } catch (const BadShape &error) {
            check(error.code == 7, "nested exception");
        }
    }
    count_calls();
    int other = 0;
    std::thread([&] { other = count_calls(); }).join();
    check(other == 1 && count_calls() == 2, "thread_local");
    std::ostringstream text;
    greet(text);
    check(text.str() == "greetings from shapes, 1.5\n", "stream of another file");
    check(lanes() == LANES, "file of a processor");
    check(ticks() == 42, "C beside C++");
    std::cout << (faults ? "faults" : "all right") << std::endl;
    return faults;
}
