# What a debugger does with a Linux kernel whose symbols it does not have. The target is connected already.
set pagination off
set confirm off
info threads
x/2i $rip

# The decompressed kernel's first instruction.
hbreak *0x1000000
continue
info registers rip cs cr0 efer
x/2i $rip
delete

# Let it run, interrupt it, and do so again until it has set where SYSCALL leads.
python
import os, signal, threading
def run_for(seconds):
    threading.Timer(seconds, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    gdb.execute("continue")
def system_call_entry():
    return int(gdb.execute("monitor @0 msr 0xC0000082", to_string=True), 16)
while system_call_entry() == 0:
    run_for(1)
gdb.execute("hbreak *%d" % system_call_entry())
end
continue
x/2i $rip
info registers cs rsp gs_base k_gs_base
delete

# SWAPGS, then on to the kernel's stack.
stepi
info registers gs_base k_gs_base
while $rsp < 0xffff800000000000
  stepi
end

# The next push stores the user's SS. gdb tells of stores that change something, and an earlier call may have stored the same.
x/i $rip
set var *(unsigned long *)($rsp - 8) = 0
watch -location *(unsigned long *)($rsp - 8)
continue
x/gx $rsp
info threads
delete
detach
