#include <bpf/libbpf.h>
#include <stdio.h>

int main(void) {
    puts(libbpf_version_string());
    return 0;
}
