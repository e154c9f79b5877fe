#!/bin/sh
# Installs a small tree below STAGE that was configured for PREFIX and built in BUILD, with one place of
# each kind in which installations name their prefix. usage: stand-in.sh STAGE PREFIX BUILD
set -eu
stage=$1 prefix=$2 build=$3
cc=${CC:-cc}
mkdir -p "$stage" && cd "$stage"
mkdir -p bin lib/pkgconfig lib/cmake/demo lib/demo lib/python3.11/__pycache__ share/man share/doc var/empty

# ELF: run paths of the prefix and of the build directory, a constant, a loader, debug information.
cat > lib.c <<END
int demo(void) { return 42; }
END
cat > tool.c <<END
#include <stdio.h>
int demo(void);
const char *fallback = "$prefix/share/demo";
int main(int argc, char **argv) {
    printf("demo %d %s\n", demo(), argc > 1 ? argv[1] : fallback);
    return 0;
}
END
cat > interpreter.c <<END
#include <stdio.h>
int main(int argc, char **argv) {
    int i = 1;
    while (i < argc && argv[i][0] == '-') i++;
    FILE *file = i < argc ? fopen(argv[i], "r") : 0;
    return file ? printf("interpreted %s\n", argv[i]) < 0 : 1;
}
END
$cc -shared -fPIC -Wl,-soname,libdemo.so.1 -Wl,-rpath,"$build/lib" lib.c -o lib/libdemo.so.1
ln -s libdemo.so.1 lib/libdemo.so
$cc tool.c -Llib -ldemo -Wl,-rpath,"$prefix/lib:$build/lib" -o bin/tool
ln bin/tool bin/tool-again
$cc interpreter.c -o bin/python3
cp bin/python3 bin/perl
$cc lib.c -x c - -Wl,--dynamic-linker,"$prefix/lib/ld.so" -o lib/demo/loaded <<END
int main(void) { return 0; }
END
$cc -g -c "-fdebug-prefix-map=$stage=$prefix/src" tool.c -o lib/demo/tool.o
cat > static.c <<END
const char *place = "$prefix/share";
END
$cc -c static.c -o static.o && ar rc lib/libstatic.a static.o
rm -f ./*.c ./*.o

# Scripts.
printf '#!%s/bin/python3 -E\n"""A tool."""\nprint(1)\n' "$prefix" > bin/pytool
printf '#!%s/bin/perl\nprint 1;\n' "$prefix" > bin/perltool
cat > bin/shtool <<END
#!/bin/sh
# Prints the library's place: it's $prefix.
lib='$prefix/lib'
exec "$prefix/bin/tool" "\$lib"
END
cat > bin/demo-config <<END
#!/bin/sh
prefix=$prefix
case "\$1" in
    --prefix) echo "\$prefix" ;;
    --libs) echo "-L$prefix/lib -ldemo" ;;
esac
END
chmod 755 bin/pytool bin/perltool bin/shtool bin/demo-config

# Files that builds of others read.
cat > lib/pkgconfig/demo.pc <<END
prefix=$prefix
libdir=\${prefix}/lib
Name: demo
Description: A stand-in
Version: 1.0
Libs: -L$prefix/lib -L$build/lib -ldemo
Cflags: -I$prefix/include
END
cat > lib/cmake/demo/demo-config.cmake <<END
set(DEMO_LIBRARY "$prefix/lib/libdemo.so.1")
END
cat > lib/libdemo.la <<END
# libdemo.la - a libtool library file
dlname='libdemo.so.1'
libdir='$prefix/lib'
END
cat > lib/demo/Makefile <<END
prefix=	$prefix
CC=	$build/bin/cc -pthread
srcdir=	$build/source
libs:
	@echo \$(prefix)/lib \$(CC)
END
cat > lib/python3.11/_sysconfigdata__stand_in.py <<END
# system configuration generated and used by the sysconfig module
build_time_vars = {'CC': '$build/bin/cc -pthread',
 'INSTALL': '/usr/bin/install -c',
 'LDSHARED': '$build/bin/cc -shared -L$prefix/lib '
             '-I$build/include',
 'LIBDIR': '$prefix/lib',
 'Py_DEBUG': 0,
 'abs_srcdir': '$build/source',
 'prefix': '$prefix'}
END
echo "VALUE = 1" > lib/python3.11/module.py
printf 'code of %s/lib/python3.11/module.py\0' "$prefix" > lib/python3.11/__pycache__/module.cpython-311.pyc

# Others.
printf '.TH demo 1\nSee %s/share.\n' "$prefix" | gzip -n > share/man/demo.1.gz
echo "Installed in $prefix." > share/doc/README
ln -s "$prefix/lib/libdemo.so.1" share/library
