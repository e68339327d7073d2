using Iced.Intel;
using Vmm.X86.FloatingPoint;

namespace Vmm.X86.Execution;

/// <summary>
/// Functions of ST0, and of ST0 and ST1: FSQRT, FRNDINT, FSCALE, FPREM, FPREM1, FXTRACT and the transcendental instructions (SDM Vol. 2).
/// </summary>
// SAFETY: pointers are the processor's state block and an Instruction alive for the call.
internal static unsafe class X87FunctionInstructions
{
    public static void Register(InstructionTable table)
    {
        table.Set(Code.Fsqrt, &OfTop);
        table.Set(Code.Frndint, &OfTop);
        table.Set(Code.F2xm1, &OfTop);
        table.Set(Code.Fsin, &OfTop);
        table.Set(Code.Fcos, &OfTop);
        table.Set(Code.Fscale, &OfTopTwo);
        table.Set(Code.Fprem, &OfTopTwo);
        table.Set(Code.Fprem1, &OfTopTwo);
        table.Set(Code.Fyl2x, &OfTopTwoAndPop);
        table.Set(Code.Fyl2xp1, &OfTopTwoAndPop);
        table.Set(Code.Fpatan, &OfTopTwoAndPop);
        table.Set(Code.Fptan, &OfTopAndPush);
        table.Set(Code.Fsincos, &OfTopAndPush);
        table.Set(Code.Fxtract, &OfTopAndPush);
    }

    private static Outcome OfTop(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Unit.Ready(cpu, s))
            return cpu.Stopped;
        X87Environment env = X87Unit.Begin(s);
        if (i->Code is Code.Fsin or Code.Fcos)
            env.SetCondition2(false);
        Float80 result = Float80.Indefinite;
        if (!X87Unit.Underflows(s, 0, ref env))
        {
            Float80 top = X87Unit.Get(s, 0);
            result = i->Code switch
            {
                Code.Fsqrt => X87Root.SquareRoot(top, ref env),
                Code.Frndint => X87Scaling.RoundToIntegral(top, ref env),
                Code.F2xm1 => X87Exponential.TwoToPowerMinusOne(top, ref env),
                Code.Fsin => X87Trigonometry.Sine(top, ref env),
                _ => X87Trigonometry.Cosine(top, ref env),
            };
        }

        X87Unit.End(s, i, ref env);
        if (!env.IsAbandoned)
            X87Unit.Set(s, 0, result);
        return Outcome.Next;
    }

    private static Outcome OfTopTwo(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Unit.Ready(cpu, s))
            return cpu.Stopped;
        X87Environment env = X87Unit.Begin(s);
        if (i->Code != Code.Fscale)
            env.SetCondition2(false);
        Float80 result = Float80.Indefinite;
        if (!X87Unit.Underflows(s, 0, ref env) && !X87Unit.Underflows(s, 1, ref env))
        {
            Float80 top = X87Unit.Get(s, 0);
            Float80 next = X87Unit.Get(s, 1);
            result = i->Code switch
            {
                Code.Fscale => X87Scaling.Scale(top, next, ref env),
                Code.Fprem => X87Remainder.Truncating(top, next, ref env),
                _ => X87Remainder.Nearest(top, next, ref env),
            };
        }

        X87Unit.End(s, i, ref env);
        if (!env.IsAbandoned)
            X87Unit.Set(s, 0, result);
        return Outcome.Next;
    }

    private static Outcome OfTopTwoAndPop(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Unit.Ready(cpu, s))
            return cpu.Stopped;
        X87Environment env = X87Unit.Begin(s);
        Float80 result = Float80.Indefinite;
        if (!X87Unit.Underflows(s, 0, ref env) && !X87Unit.Underflows(s, 1, ref env))
        {
            Float80 x = X87Unit.Get(s, 0);
            Float80 y = X87Unit.Get(s, 1);
            result = i->Code switch
            {
                Code.Fyl2x => X87Logarithm.YLog2X(x, y, ref env),
                Code.Fyl2xp1 => X87Logarithm.YLog2XPlusOne(x, y, ref env),
                _ => X87ArcTangent.ArcTangent(x, y, ref env),
            };
        }

        X87Unit.End(s, i, ref env);
        if (env.IsAbandoned)
            return Outcome.Next;
        X87Unit.Set(s, 1, result);
        X87Unit.Pop(s);
        return Outcome.Next;
    }

    private static Outcome OfTopAndPush(ProcessorCore cpu, VcpuState* s, Instruction* i)
    {
        if (!X87Unit.Ready(cpu, s))
            return cpu.Stopped;
        X87Environment env = X87Unit.Begin(s);
        if (i->Code != Code.Fxtract)
            env.SetCondition2(false);
        Float80 result = Float80.Indefinite;
        Float80 pushed = Float80.Indefinite;
        bool incomplete = false;
        if (!X87Unit.Underflows(s, 0, ref env) && !X87Unit.Overflows(s, ref env))
        {
            Float80 top = X87Unit.Get(s, 0);
            if (i->Code == Code.Fxtract)
            {
                result = X87Scaling.Extract(top, out pushed, ref env);
            }
            else
            {
                bool tangent = i->Code == Code.Fptan;
                result = tangent ? X87Trigonometry.Tangent(top, ref env) : X87Trigonometry.Sine(top, ref env);
                incomplete = (env.StatusWord & X87Environment.Condition2) != 0;
                if (!env.IsAbandoned && !incomplete)
                    pushed = !tangent ? X87Trigonometry.Cosine(top, ref env) : result.IsNaN ? result : Float80.One;
            }
        }

        X87Unit.End(s, i, ref env);
        if (env.IsAbandoned || incomplete)
            return Outcome.Next;
        X87Unit.Set(s, 0, result);
        X87Unit.Push(s, pushed);
        return Outcome.Next;
    }
}
