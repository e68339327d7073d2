// Debian's kernel, unmodified, to user space: a PC from Vmm.Machines, its serial port on the console.
//   BootLinux [--shell] [--keep FOLDER]              takes kernel and busybox from Debian's packages (needs apt-get and dpkg-deb);
//                                                    --keep writes them there, as vmlinuz and initramfs.cpio, for the command vmm
//                                                    --cache FOLDER is where they stay; --json tells on standard error how far the download is
//   BootLinux [--shell] --kernel FILE --initrd FILE  takes them from files
using BootLinux;
using Vmm;
using Vmm.Machines;

string? kernelFile = null, initialRamDiskFile = null, keep = null;
string cache = Path.Combine(Path.GetTempPath(), "vmm-boot-linux");
bool shell = false, json = false;
for (int i = 0; i < args.Length; i++)
{
    if (args[i] == "--shell")
        shell = true;
    else if (args[i] == "--json")
        json = true;
    else if (args[i] == "--cache" && i + 1 < args.Length)
        cache = args[++i];
    else if (args[i] == "--kernel" && i + 1 < args.Length)
        kernelFile = args[++i];
    else if (args[i] == "--keep" && i + 1 < args.Length)
        keep = args[++i];
    else if (args[i] == "--initrd" && i + 1 < args.Length)
        initialRamDiskFile = args[++i];
    else
        return Refuse($"'{args[i]}' is not understood. Usage: BootLinux [--shell] [--keep FOLDER] [--cache FOLDER] [--json] [--kernel FILE --initrd FILE]");
}
if (kernelFile is null != initialRamDiskFile is null)
    return Refuse("--kernel and --initrd go together.");
if (kernelFile is null && !DebianPackages.Available)
{
    return Refuse("This host has no apt-get and dpkg-deb to fetch a kernel with. Pass --kernel FILE --initrd FILE: "
        + "an x86-64 bzImage, such as /boot/vmlinuz-* of a distribution, and a cpio archive with an /init that writes to /dev/console.");
}

byte[] kernel, initialRamDisk;
try
{
    if (kernelFile is null)
    {
        (string fetched, string busybox) = DownloadProgress.Fetch(cache, json);
        kernel = File.ReadAllBytes(fetched);
        initialRamDisk = InitialRamDisk.Build(busybox);
        if (keep is not null)
        {
            File.WriteAllBytes(Path.Combine(keep, "vmlinuz"), kernel);
            File.WriteAllBytes(Path.Combine(keep, "initramfs.cpio"), initialRamDisk);
        }
    }
    else
    {
        kernel = File.ReadAllBytes(kernelFile);
        initialRamDisk = File.ReadAllBytes(initialRamDiskFile!);
    }
}
catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidOperationException)
{
    return Refuse(e.Message);
}

using Stream output = Console.OpenStandardOutput();
using Machine machine = new(Hypervisors.BestAvailable(), new MachineOptions
{
    MemorySize = 256ul << 20,
    Image = new KernelImage(kernel)
    {
        CommandLine = "console=ttyS0 quiet panic=-1 reboot=k" + (shell ? " end=shell" : ""),
        Modules = [new BootModule(initialRamDisk, "initramfs")],
    },
    SerialOutput = data =>
    {
        output.Write(data);
        output.Flush();
    },
    HasSerialInput = shell,
});
if (shell)
    new Thread(Type) { IsBackground = true }.Start();
MachineOutcome outcome = machine.Run();
Console.Error.WriteLine($"The guest ended: {outcome}.");
return outcome.Kind is MachineOutcomeKind.Reset or MachineOutcomeKind.PoweredOff ? 0 : 1;

// Lines go to the guest as the terminal gives them; the command `vmm run` has a raw terminal instead.
void Type()
{
    using Stream input = Console.OpenStandardInput();
    byte[] buffer = new byte[256];
    for (int count = input.Read(buffer); count > 0; count = input.Read(buffer))
        machine.Serial.ReceiveAsync(buffer.AsMemory(0, count)).AsTask().GetAwaiter().GetResult();
}

static int Refuse(string message)
{
    Console.Error.WriteLine(message);
    return 2;
}
