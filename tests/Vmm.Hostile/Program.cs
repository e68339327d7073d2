using System.CommandLine;
using Vmm.Hostile.Files;
using Vmm.Hostile.Guests;

RootCommand root = new("Long runs of whatever means harm. Each prints its seed; status 0 where nothing broke.")
{
    GuestsCommand.Create(),
    RacesCommand.Create(),
    FilesCommand.Create(),
};
return root.Parse(args).Invoke();
