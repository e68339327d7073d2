global using Iced.Intel;
