#include <dav1d/dav1d.h>
#include <errno.h>
#include <stdio.h>

int main(void) {
    Dav1dSettings settings;
    Dav1dContext *context = NULL;
    Dav1dPicture picture = {0};
    dav1d_default_settings(&settings);
    settings.n_threads = 2;
    if (dav1d_open(&context, &settings)) return 1;
    /* Without data there is no picture. */
    if (dav1d_get_picture(context, &picture) != DAV1D_ERR(EAGAIN)) return 2;
    dav1d_close(&context);
    puts(dav1d_version());
    return 0;
}
