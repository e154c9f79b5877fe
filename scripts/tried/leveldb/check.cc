#include <leveldb/comparator.h>
#include <leveldb/db.h>
#include <snappy.h>
#include <stdlib.h>

#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

// Objects of one file are called, compared and deleted by another.
struct Backwards : leveldb::Comparator {
    const char *Name() const override { return "backwards"; }
    int Compare(const leveldb::Slice &a, const leveldb::Slice &b) const override { return b.compare(a); }
    void FindShortestSeparator(std::string *, const leveldb::Slice &) const override {}
    void FindShortSuccessor(std::string *) const override {}
};

static void check(const leveldb::Status &status) {
    if (!status.ok()) throw std::runtime_error(status.ToString());
}

int main() try {
    std::string text(100000, 'x'), packed, back;
    snappy::Compress(text.data(), text.size(), &packed);
    if (packed.size() > 10000 || !snappy::Uncompress(packed.data(), packed.size(), &back) || back != text) return 1;

    char dir[] = "/tmp/leveldb-XXXXXX";
    if (!mkdtemp(dir)) return 2;
    Backwards backwards;
    leveldb::Options options;
    options.create_if_missing = true;
    options.comparator = &backwards;
    leveldb::DB *opened;
    check(leveldb::DB::Open(options, dir, &opened));
    std::unique_ptr<leveldb::DB> db(opened);
    for (int i = 0; i < 2000; i++) check(db->Put({}, "key" + std::to_string(i), text));
    db->CompactRange(nullptr, nullptr);
    std::unique_ptr<leveldb::Iterator> at(db->NewIterator({}));
    at->SeekToFirst();
    std::cout << "first is " << at->key().ToString() << std::endl;
    at.reset();
    // A status of the library becomes an exception here.
    try {
        check(db->Get({}, "no such key", &back));
        return 3;
    } catch (const std::runtime_error &error) {
        std::cout << error.what() << std::endl;
    }
    db.reset();
    check(leveldb::DestroyDB(dir, options));
    return 0;
} catch (const std::exception &error) {
    std::cerr << error.what() << std::endl;
    return 4;
}
