/* The same loops as the managed ones, in C: calls to KVM and exits of a guest, timed in batches. */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

static int device, processor;
static struct kvm_run *run;

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* 0, or the number of the step that failed. */
int peer_open(const uint8_t *code, int length)
{
    device = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (device < 0)
        return 1;
    int machine = ioctl(device, KVM_CREATE_VM, 0);
    processor = ioctl(machine, KVM_CREATE_VCPU, 0);
    uint8_t *memory = mmap(0, 0x10000, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct kvm_userspace_memory_region region = { 0, 0, 0, 0x10000, (uint64_t)memory };
    if (ioctl(machine, KVM_SET_USER_MEMORY_REGION, &region))
        return 2;
    memcpy(memory + 0x1000, code, length);
    run = mmap(0, ioctl(device, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE, MAP_SHARED, processor, 0);
    struct kvm_sregs special;
    if (ioctl(processor, KVM_GET_SREGS, &special))
        return 3;
    special.cs.base = special.cs.selector = 0;
    if (ioctl(processor, KVM_SET_SREGS, &special))
        return 4;
    struct kvm_regs general = { .rip = 0x1000, .rflags = 2 };
    return ioctl(processor, KVM_SET_REGS, &general) ? 5 : 0;
}

/* Nanoseconds for a number of calls. */
int64_t peer_calls(int count)
{
    int64_t start = now();
    for (int i = 0; i < count; i++)
        ioctl(device, KVM_GET_API_VERSION, 0);
    return now() - start;
}

/* Nanoseconds for a number of exits; negative where one was not the expected. */
int64_t peer_exits(int count)
{
    int64_t start = now();
    for (int i = 0; i < count; i++)
        if (ioctl(processor, KVM_RUN, 0) || run->exit_reason != KVM_EXIT_IO)
            return -1;
    return now() - start;
}
