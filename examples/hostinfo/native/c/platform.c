#include "platform.h"

#ifdef _WIN32
#include <windows.h>

unsigned long platform_page_size(void)
{
	SYSTEM_INFO info;

	GetSystemInfo(&info);
	return info.dwPageSize;
}

const char *platform_machine(void)
{
	SYSTEM_INFO info;

	GetNativeSystemInfo(&info);
	switch (info.wProcessorArchitecture) {
	case PROCESSOR_ARCHITECTURE_AMD64:
		return "x86_64";
	case PROCESSOR_ARCHITECTURE_ARM64:
		return "aarch64";
	default:
		return "";
	}
}

#else
#include <sys/utsname.h>
#include <unistd.h>

unsigned long platform_page_size(void)
{
	long size = sysconf(_SC_PAGESIZE);

	return size > 0 ? (unsigned long)size : 0;
}

const char *platform_machine(void)
{
	static struct utsname name;

	return uname(&name) == 0 ? name.machine : "";
}
#endif
