#include <ffi.h>
#include <stdio.h>

static double half(int n, double d) { return n * d / 2; }

int main(void) {
    ffi_cif cif;
    ffi_type *types[] = {&ffi_type_sint, &ffi_type_double};
    int n = 3;
    double d = 7, result = 0;
    void *values[] = {&n, &d};
    if (ffi_prep_cif(&cif, FFI_DEFAULT_ABI, 2, &ffi_type_double, types) != FFI_OK) return 1;
    ffi_call(&cif, FFI_FN(half), &result, values);
    printf("%.1f\n", result);
    return 0;
}
