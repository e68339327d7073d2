/* A WinHvPlatform.dll whose exports jump to functions that the process sets itself: the real import path to a simulated platform. */

#define FUNCTIONS(F) \
    F(WHvGetCapability) F(WHvCreatePartition) F(WHvSetupPartition) F(WHvDeletePartition) F(WHvGetPartitionProperty) \
    F(WHvSetPartitionProperty) F(WHvMapGpaRange) F(WHvUnmapGpaRange) F(WHvTranslateGva) F(WHvCreateVirtualProcessor) \
    F(WHvDeleteVirtualProcessor) F(WHvRunVirtualProcessor) F(WHvCancelRunVirtualProcessor) F(WHvGetVirtualProcessorRegisters) \
    F(WHvSetVirtualProcessorRegisters) F(WHvRequestInterrupt) F(WHvQueryGpaRangeDirtyBitmap) F(WHvSuspendPartitionTime) \
    F(WHvResumePartitionTime) F(WHvRegisterPartitionDoorbellEvent) F(WHvUnregisterPartitionDoorbellEvent) F(WHvGetVirtualProcessorState) F(WHvSetVirtualProcessorState)

/* Registers and stack reach the target as the caller left them. */
#define EXPORT(name) \
    void *slot_##name __attribute__((used)); \
    __declspec(dllexport) __attribute__((naked)) void name(void) { __asm__("jmp *slot_" #name "(%rip)"); }

FUNCTIONS(EXPORT)

static int same(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

#define SET(name) if (same(wanted, #name)) { slot_##name = function; return 1; }

__declspec(dllexport) int SetExport(const char *wanted, void *function)
{
    FUNCTIONS(SET)
    return 0;
}

int DllMainCRTStartup(void *instance, unsigned reason, void *reserved)
{
    (void)instance;
    (void)reason;
    (void)reserved;
    return 1;
}
