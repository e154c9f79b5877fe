#pragma once
#include <exception>
#include <functional>
#include <map>
#include <string>

#define STORE __attribute__((visibility("default")))

STORE void visit(const std::map<std::string, double> &all, const std::function<void(const std::string &)> &each);
STORE std::exception_ptr in_thread(const std::string &text);
STORE void nested(const std::string &text);
STORE bool is_square(const void *shape);
extern "C" STORE long ticks(void);
extern "C" STORE int lanes(void);
