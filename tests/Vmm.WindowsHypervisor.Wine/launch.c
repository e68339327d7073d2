/* Starts the program beside it with the first gigabytes of addresses taken, so that code and data lie as high as they do on Windows: Wine gives
   addresses from the bottom up, and .NET's compiler makes no tail calls in code that lies below 4 GiB. */

#include <windows.h>
#include <stdio.h>

#define TAKEN (16ull << 30)
#define UNIT 0x10000ull

typedef int (*hostfxr_main_startupinfo)(int, const wchar_t **, const wchar_t *, const wchar_t *, const wchar_t *);

static void take_low_addresses(void)
{
    MEMORY_BASIC_INFORMATION region;
    for (size_t at = UNIT; at < TAKEN && VirtualQuery((void *)at, &region, sizeof region); at = (size_t)region.BaseAddress + region.RegionSize) {
        size_t start = ((size_t)region.BaseAddress + UNIT - 1) & ~(UNIT - 1), end = (size_t)region.BaseAddress + region.RegionSize;
        if (end > TAKEN)
            end = TAKEN;
        if (region.State == MEM_FREE && end >= start + UNIT)
            VirtualAlloc((void *)start, (end - start) & ~(UNIT - 1), MEM_RESERVE, PAGE_NOACCESS);
    }
}

int wmain(int count, wchar_t **arguments)
{
    wchar_t folder[MAX_PATH], library[MAX_PATH], host[MAX_PATH], program[MAX_PATH];
    DWORD length = GetModuleFileNameW(0, folder, MAX_PATH);
    wchar_t *last = length != 0 && length < MAX_PATH ? wcsrchr(folder, L'\\') : 0;
    if (!last) {
        fprintf(stderr, "launch: this program's folder has too long a name\n");
        return 1;
    }
    *last = 0;
    if (_snwprintf(library, MAX_PATH, L"%ls\\hostfxr.dll", folder) < 0 || _snwprintf(host, MAX_PATH, L"%ls\\Vmm.WindowsHypervisor.Wine.exe", folder) < 0
        || _snwprintf(program, MAX_PATH, L"%ls\\Vmm.WindowsHypervisor.Wine.dll", folder) < 0) {
        fprintf(stderr, "launch: this program's folder has too long a name\n");
        return 1;
    }
    take_low_addresses();
    HMODULE fxr = LoadLibraryW(library);
    hostfxr_main_startupinfo start = fxr ? (hostfxr_main_startupinfo)(void *)GetProcAddress(fxr, "hostfxr_main_startupinfo") : 0;
    if (!start) {
        fprintf(stderr, "launch: hostfxr.dll: error %lu\n", GetLastError());
        return 1;
    }
    return start(count, (const wchar_t **)arguments, host, folder, program);
}
