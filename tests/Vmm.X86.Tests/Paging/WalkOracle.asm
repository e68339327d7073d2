; A guest that makes one memory access for each case of its module, under the case's page-table entries and control bits, and
; writes the error code (or all ones) and the entries afterwards to port 0xE9. Multiboot, flat binary: nasm -f bin.
org 0x100000
bits 32

PML4    equ 0x200000
TEST3   equ 0x210000
TEST2   equ 0x211000
TEST1   equ 0x212000
STUB    equ 0x300000
KSTACK  equ 0x3F0000
I4      equ 0xF5
I3      equ 0xF3
I2      equ 3
I1      equ 0x112
LINEAR  equ (I4 << 39) | (I3 << 30) | (I2 << 21) | (I1 << 12) | 0x345
USTUB   equ 1 << 39
CASE    equ 40

header:
    dd 0x1BADB002, 0x00010003, -(0x1BADB002 + 0x00010003)
    dd header, header, image_end, image_end, start

start:
    cld
    mov esp, KSTACK
    mov esi, [ebx + 24]             ; mods_addr
    mov eax, [esi]
    mov [case_first], eax
    mov eax, [esi + 4]
    mov [case_end], eax

    mov edi, PML4
    xor eax, eax
    mov ecx, 0x20000 / 4
    rep stosd
    mov dword [PML4], PML4 + 0x1003
    mov dword [PML4 + 0x1000], PML4 + 0x2003
    mov edi, PML4 + 0x2000
    mov eax, 0xE3
    mov ecx, 512
.identity:
    mov [edi], eax
    add eax, 0x200000
    add edi, 8
    loop .identity
    mov dword [PML4 + 8], PML4 + 0x3007
    mov dword [PML4 + 0x3000], PML4 + 0x4007
    mov dword [PML4 + 0x4000], PML4 + 0x5007
    mov dword [PML4 + 0x5000], STUB + 0x65

    mov esi, stub
    mov edi, STUB
    mov ecx, stub_end - stub
    rep movsb
    mov word [0x400345], 0x21CD     ; INT 21h: what a fetch finds
    mov word [0x512345], 0x21CD
    mov word [0x712345], 0x21CD

    mov edi, idt
    mov ecx, 0x22
    mov eax, fatal
    call gates
    mov edi, idt + 14 * 16
    mov ecx, 1
    mov eax, page_fault
    call gates
    mov edi, idt + 0x21 * 16
    mov ecx, 1
    mov eax, done
    call gates
    mov byte [idt + 0x21 * 16 + 5], 0xEE
    mov eax, tss
    mov [gdt_tss + 2], ax
    shr eax, 16
    mov [gdt_tss + 4], al

    mov eax, 0x20
    mov cr4, eax
    mov eax, PML4
    mov cr3, eax
    mov ecx, 0xC0000080
    rdmsr
    or eax, 0x100
    wrmsr
    mov eax, cr0
    or eax, 0x80000001
    mov cr0, eax
    lgdt [gdt_pointer]
    jmp 8:long_mode

gates:                              ; edi: gate, ecx: how many, eax: handler
    mov [edi], ax
    mov word [edi + 2], 8
    mov word [edi + 4], 0x8E00
    mov edx, eax
    shr edx, 16
    mov [edi + 6], dx
    add edi, 16
    loop gates
    ret

bits 64
long_mode:
    xor eax, eax
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov rsp, KSTACK
    lidt [idt_pointer]
    mov ax, 0x28
    ltr ax
    mov r12d, [case_first]
    mov r13d, [case_end]

next_case:
    cmp r12, r13
    jae finish
    mov rax, [r12]
    mov [PML4 + I4 * 8], rax
    mov rax, [r12 + 8]
    mov [TEST3 + I3 * 8], rax
    mov rax, [r12 + 16]
    mov [TEST2 + I2 * 8], rax
    mov rax, [r12 + 24]
    mov [TEST1 + I1 * 8], rax
    mov r14d, [r12 + 32]

    mov rax, cr0
    and eax, ~(1 << 16)
    mov edx, r14d
    and edx, 1 << 4                 ; WP
    shl edx, 12
    or eax, edx
    mov cr0, rax
    mov ecx, 0xC0000080
    rdmsr
    and eax, ~(1 << 11)
    mov ebx, r14d
    and ebx, 1 << 5                 ; NXE
    shl ebx, 6
    or eax, ebx
    wrmsr
    mov eax, r14d
    and eax, 3 << 6                 ; SMEP, SMAP
    shl eax, 14
    or eax, 0x20
    mov cr4, rax
    mov rax, cr3
    mov cr3, rax

    mov eax, r14d
    and eax, 1 << 3                 ; AC
    shl eax, 15
    or eax, 2
    mov rbx, LINEAR
    test r14d, 4
    jnz as_user
    push rax
    popfq
    test r14d, 2
    jnz .execute
    test r14d, 1
    jnz .write
    mov al, [rbx]
    int 0x21
.write:
    mov byte [rbx], 0xCD
    int 0x21
.execute:
    jmp rbx

as_user:
    mov rcx, USTUB
    test r14d, 1
    jz .not_write
    add rcx, stub.write - stub
.not_write:
    test r14d, 2
    jz .not_execute
    add rcx, stub.execute - stub
.not_execute:
    push 0x1B
    push 0
    push rax
    push 0x23
    push rcx
    iretq

stub:
    mov al, [rbx]
    int 0x21
.write:
    mov byte [rbx], 0xCD
    int 0x21
.execute:
    jmp rbx
stub_end:

done:
    mov eax, -1
    jmp record

page_fault:
    pop rax
    mov rcx, LINEAR
    mov rdx, cr2
    cmp rdx, rcx
    je record
    or eax, 1 << 30
record:
    mov rsp, KSTACK
    push 2
    popfq
    mov [result], eax
    mov rax, [PML4 + I4 * 8]
    mov [result + 8], rax
    mov rax, [TEST3 + I3 * 8]
    mov [result + 16], rax
    mov rax, [TEST2 + I2 * 8]
    mov [result + 24], rax
    mov rax, [TEST1 + I1 * 8]
    mov [result + 32], rax
    mov esi, result
    mov ecx, 40
    mov edx, 0xE9
    rep outsb
    add r12, CASE
    jmp next_case

finish:
    mov al, 0x10
    mov edx, 0xF4
    out dx, al
fatal:
    mov al, 0x20
    mov edx, 0xF4
    out dx, al
    hlt
    jmp fatal

align 16
gdt:
    dq 0
    dq 0x00209A0000000000           ; 08: kernel code
    dq 0x0000920000000000           ; 10: data
    dq 0x0000F20000000000           ; 18: user data
    dq 0x0020FA0000000000           ; 20: user code
gdt_tss:
    dw 0x67, 0, 0x8900, 0
    dq 0
gdt_pointer:
    dw $ - gdt - 1
    dq gdt
idt_pointer:
    dw 0x22 * 16 - 1
    dq idt
align 16
tss:
    dd 0
    dq KSTACK
    times 0x68 - 12 db 0
case_first: dd 0
case_end: dd 0
align 16
result: times 40 db 0
align 16
idt: times 0x22 * 16 db 0
image_end:
