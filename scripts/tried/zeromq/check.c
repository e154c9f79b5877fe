#include <stdio.h>
#include <string.h>
#include <zmq.h>

int main(void) {
    int major, minor, patch;
    char address[100], got[10] = "";
    size_t size = sizeof address;
    void *context = zmq_ctx_new();
    void *server = zmq_socket(context, ZMQ_REP), *client = zmq_socket(context, ZMQ_REQ);
    if (zmq_bind(server, "tcp://127.0.0.1:*")) return 1;
    if (zmq_getsockopt(server, ZMQ_LAST_ENDPOINT, address, &size)) return 2;
    if (zmq_connect(client, address) || zmq_send(client, "hello", 5, 0) != 5) return 3;
    if (zmq_recv(server, got, sizeof got, 0) != 5 || strcmp(got, "hello")) return 4;
    zmq_close(client);
    zmq_close(server);
    zmq_ctx_term(context);
    zmq_version(&major, &minor, &patch);
    printf("%d.%d.%d\n", major, minor, patch);
    return 0;
}
