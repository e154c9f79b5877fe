#include "shapes.hpp"
#include <iostream>

int extra();

int main() {
    try {
        delete parse_shape("circle");
    } catch (const BadShape &error) {
        std::cout << "tool caught " << error.code + extra() << std::endl;
        return 0;
    }
    return 1;
}
