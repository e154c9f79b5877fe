//! Prints the version of libbpf that it runs with.

fn main() {
    let (version, arch) = (bpf_example::version(), std::env::consts::ARCH);
    let cpus = bpf_example::possible_cpus().unwrap_or_default();
    println!("libbpf {version} on {arch}, {cpus} processors");
}
