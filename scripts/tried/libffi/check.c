#include <ffi.h>
#include <stdio.h>

static double add(int a, double b) { return a + b; }

static void answer(ffi_cif *cif, void *result, void **args, void *data) {
    (void)cif;
    *(ffi_arg *)result = (ffi_arg)(*(int *)args[0] * *(int *)data);
}

int main(void) {
    ffi_cif cif;
    ffi_type *types[] = {&ffi_type_sint, &ffi_type_double};
    int a = 40, factor = 7;
    double b = 2.5, sum = 0;
    void *args[] = {&a, &b}, *code;
    if (ffi_prep_cif(&cif, FFI_DEFAULT_ABI, 2, &ffi_type_double, types)) return 1;
    ffi_call(&cif, FFI_FN(add), &sum, args);
    ffi_cif one;
    ffi_closure *closure = ffi_closure_alloc(sizeof *closure, &code);
    if (!closure || ffi_prep_cif(&one, FFI_DEFAULT_ABI, 1, &ffi_type_sint, types)) return 2;
    if (ffi_prep_closure_loc(closure, &one, answer, &factor, code)) return 3;
    if (((int (*)(int))code)(6) != 42) return 4;
    printf("%.1f\n", sum);
    return 0;
}
