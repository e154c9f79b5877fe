/* Loads a library and asks it for its answer. */
#include <dlfcn.h>
#include <stdio.h>

int main(int count, char **arguments)
{
    void *library = dlopen(arguments[count - 1], RTLD_NOW);
    int (*answer)(void) = library ? (int (*)(void))dlsym(library, "answer") : 0;
    if (!answer) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    return answer() == 42 ? 0 : 2;
}
