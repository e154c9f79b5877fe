/* A library that has nothing to do with Python but its names. */
__attribute__((visibility("default"))) void *PyDemo_New(long value) {
    return (void *)value;
}
