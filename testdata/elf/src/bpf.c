/* A socket filter that counts packets. No header: the types are libbpf's. */
#define SEC(name) __attribute__((section(name), used))

struct __sk_buff {
    unsigned len;
} __attribute__((preserve_access_index));

struct {
    int (*type)[2]; /* BPF_MAP_TYPE_ARRAY */
    int (*max_entries)[1];
    unsigned *key;
    unsigned long long *value;
} counts SEC(".maps");

static void *(*const lookup)(void *, const void *) = (void *)1;

SEC("socket") int count(struct __sk_buff *packet) {
    unsigned key = 0;
    unsigned long long *value = lookup(&counts, &key);
    if (value) __sync_fetch_and_add(value, packet->len);
    return 0;
}

char LICENSE[] SEC("license") = "GPL";
