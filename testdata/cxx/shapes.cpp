#include "shapes.hpp"
#include <iostream>
#include <memory>

Shape::~Shape() = default;
double Square::area() const { return side * side; }

Shape *parse_shape(const std::string &text) {
    if (text.rfind("square ", 0) != 0) throw BadShape("no shape: " + text, 7);
    return new Square(std::stod(text.substr(7)));
}

int count_calls() {
    thread_local int calls = 0;
    return ++calls;
}

void greet(std::ostream &out) { out << "greetings from shapes, " << 1.5 << '\n'; }

namespace {
struct Last {
    ~Last() { std::cout << "last of shapes" << std::endl; }
} last;
}
