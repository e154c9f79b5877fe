#pragma once
#include <stdexcept>
#include <string>

struct Shape {
    virtual ~Shape();
    virtual double area() const = 0;
};

struct Square : Shape {
    explicit Square(double side) : side(side) {}
    double area() const override;
    double side;
};

// Has no key function: every file has its own type information.
struct BadShape : std::runtime_error {
    explicit BadShape(const std::string &what, int code) : std::runtime_error(what), code(code) {}
    int code;
};

Shape *parse_shape(const std::string &text);
int count_calls();
void greet(std::ostream &out);
