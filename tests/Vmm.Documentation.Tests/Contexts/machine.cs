using Vmm;
using Vmm.Machines;

MachineOptions options = new()
{
    /* here */
};
Console.WriteLine(options.ToString());
