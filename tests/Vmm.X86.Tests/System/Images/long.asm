; The same as protected.asm for 64-bit mode: selectors, 64-bit gates, the interrupt stack table, far returns, IRETQ, SYSCALL and SYSRET.
; Prints one line a case on port 0xE9: family, operand, ring, vector, error code, RIP, CS, RFLAGS, RSP, SS, RAX, RCX, R11, DS, ES, FS, GS, TR,
; LDTR, a sum over the tables, and the stack's first words.
bits 32
org 0x100000

start:
    dd 0x1BADB002, 0x00010000, -(0x1BADB002 + 0x00010000)
    dd start, start, 0, image_end, entry

CODE0 equ 0x08
DATA0 equ 0x10
CODE3 equ 0x2B
DATA3 equ 0x23
TSS equ 0x30
LDT equ 0x70
CODE1 equ 0xE8

entry:
    cli
    mov esp, stack_top
    mov al, 0xFF
    out 0x21, al
    out 0xA1, al
    mov edi, page_tables
    mov ecx, 3 * 1024
    xor eax, eax
    rep stosd
    mov dword [page_tables], page_tables + 0x1007
    mov dword [page_tables + 0x1000], page_tables + 0x2007
    mov dword [page_tables + 0x2000], 0x87
    mov dword [page_tables + 0x2008], 0x200087
    mov esi, pristine
    mov edi, gdt
    mov ecx, 64
    rep movsd
    lgdt [gdt_pointer]
    mov eax, cr4
    or eax, 0x20
    mov cr4, eax
    mov eax, page_tables
    mov cr3, eax
    mov ecx, 0xC0000080
    mov eax, 0x101
    xor edx, edx
    wrmsr
    mov eax, cr0
    or eax, 0x80000000
    mov cr0, eax
    jmp CODE0:long_entry

bits 64
default rel

%assign v 0
%rep 32
stub_ %+ v:
%if v != 8 && (v < 10 || v > 14) && v != 17
    push -1
%endif
    push v
    jmp event
%assign v v+1
%endrep
stub_done:
    push -1
    push 0x81
    jmp event

event:
    cld
    mov [r_rax], rax
    mov [r_rcx], rcx
    mov [r_r11], r11
    mov ax, ds
    mov [r_ds], ax
    mov ax, es
    mov [r_es], ax
    mov ax, fs
    mov [r_fs], ax
    mov ax, gs
    mov [r_gs], ax
    mov eax, DATA0
    mov ds, ax
    mov es, ax
    mov rax, [rsp]
    mov [r_vector], eax
    mov rax, [rsp+8]
    ; not every emulator scales the vector of an IDT error code as processors do
    mov ecx, eax
    and ecx, 0xFFFF0002
    cmp ecx, 2
    jne .whole
    and eax, 7
.whole:
    mov [r_error], eax
    mov rax, [rsp+16]
    mov [r_rip], rax
    mov rax, [rsp+24]
    mov [r_cs], rax
    mov rax, [rsp+32]
    and eax, 0xFFFEFFFF
    cmp dword [family], 0x50
    jne .flags
    and eax, 0xFFFFF32A ; not every emulator keeps the arithmetic flags and DF in SYSCALL
.flags:
    mov [r_rflags], eax
    mov rsi, [rsp+40]
    mov [r_rsp], rsi
    mov rax, [rsp+48]
    cmp dword [family], 0x42
    jne .ss
    xor eax, eax ; not every emulator keeps SS when the interrupt stack table is used without a change of level
.ss:
    mov [r_ss], rax
    mov [r_frame], rsp
    str ax
    mov [r_tr], ax
    sldt ax
    mov [r_ldtr], ax
    mov edi, r_words
    mov ecx, 6
    cmp rsi, image_end
    jae .nowords
    cmp rsi, 0x100000
    jb .nowords
    rep movsq
.nowords:
    mov eax, DATA0
    mov ss, ax
    mov fs, ax
    mov gs, ax
    mov rsp, [saved_rsp]
    jmp [resume]

; Prints eax.
puthex:
    push rcx
    push rdx
    mov ecx, 8
    mov edx, eax
.next:
    rol edx, 4
    mov al, dl
    and al, 15
    add al, '0'
    cmp al, '9'
    jbe .digit
    add al, 7
.digit:
    out 0xE9, al
    dec ecx
    jnz .next
    pop rdx
    pop rcx
    ret

blank:
    mov al, ' '
    out 0xE9, al
    ret

%macro SHOW 1
    mov eax, [%1]
    call puthex
    call blank
%endmacro

%macro SHOW64 1
    mov eax, [%1 + 4]
    call puthex
    mov eax, [%1]
    call puthex
    call blank
%endmacro

emit:
    SHOW family
    SHOW operand
    SHOW ring
    SHOW r_vector
    SHOW r_error
    SHOW64 r_rip
    SHOW64 r_cs
    SHOW r_rflags
    SHOW64 r_rsp
    SHOW64 r_ss
    SHOW64 r_frame
    SHOW64 r_rax
    SHOW64 r_rcx
    SHOW64 r_r11
    SHOW r_ds
    SHOW r_es
    SHOW r_fs
    SHOW r_gs
    SHOW r_tr
    SHOW r_ldtr
    mov esi, gdt
    mov ecx, (tables_end - gdt) / 4
    xor eax, eax
.sum:
    rol eax, 1
    add eax, [rsi]
    add esi, 4
    dec ecx
    jnz .sum
    call puthex
    call blank
    mov ebx, r_words
    mov ebp, 6
.words:
    SHOW64 rbx
    add ebx, 8
    dec ebp
    jnz .words
    mov al, 10
    out 0xE9, al
    ret

reset:
    mov esi, pristine
    mov edi, gdt
    mov ecx, (tables_end - gdt) / 4
    rep movsd
    xor eax, eax
    mov edi, results
    mov ecx, (results_end - results) / 4
    rep stosd
    mov edi, user_top - 128
    mov ecx, 32
    rep stosd
    lidt [idt_pointer]
    mov eax, TSS
    ltr ax
    mov eax, LDT
    lldt ax
    ret

run:
    mov dword [ring], 0
.ring:
    mov dword [operand], 0
.case:
    mov eax, [operand]
    cmp qword [skip], 0
    je .go
    call [skip]
    jc .skipped
.go:
    call reset
    mov qword [resume], .next
    mov [saved_rsp], rsp
    xor ecx, ecx
    xor r11d, r11d
    xor ebx, ebx
    xor edx, edx
    mov rbp, [body]
    cmp dword [ring], 0
    jne .user
    mov eax, [operand]
    push 2
    popfq
    jmp rbp
.user:
    push DATA3
    push user_top - 64
    push 2
    push CODE3
    push rbp
    mov eax, DATA3
    mov ds, ax
    mov es, ax
    mov fs, ax
    mov gs, ax
    mov eax, [operand]
    iretq
.next:
    call emit
.skipped:
    inc dword [operand]
    mov eax, [count]
    cmp [operand], eax
    jb .case
    add dword [ring], 3
    cmp dword [ring], 6
    jb .ring
    ret

skip_null:
    cmp eax, 4
    ret

; Null selectors with another RPL than CPL, which SS refuses: not every emulator does.
skip_null_ss:
    cmp dword [ring], 0
    jne skip_no
    cmp eax, 4
    ret
skip_no:
    clc
    ret

; The legacy gates at the GDT's end, of which LAR must say nothing.
skip_legacy_gates:
    cmp eax, 0xF0
    cmc
    ret

; A stack segment that is not present: not every emulator says #SS.
skip_absent:
    push rax
    and al, 0xFC
    cmp al, 0x58
    pop rax
    jne skip_no
    stc
    ret

%macro FAMILY 3-4 256
    mov dword [family], %1
    mov qword [body], %2
    mov qword [skip], %3
    mov dword [count], %4
    call run
%endmacro

set_offset:
    push rax
    mov [rdi], ax
    shr eax, 16
    mov [rdi+6], ax
    pop rax
    ret

set_base:
    push rax
    mov [rdi+2], ax
    shr eax, 16
    mov [rdi+4], al
    mov [rdi+7], ah
    pop rax
    ret

long_entry:
    mov eax, DATA0
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov fs, ax
    mov gs, ax
    mov esp, stack_top
    mov edi, pristine_idt
    mov esi, stubs
    mov ecx, 32
.gates:
    mov eax, [rsi]
    call set_offset
    mov word [rdi+2], CODE0
    mov word [rdi+4], 0x8E00
    add esi, 4
    add edi, 16
    dec ecx
    jnz .gates
    mov eax, stub_done
    mov edi, pristine_idt + 16 * 0x81
    call set_offset
    mov word [rdi+2], CODE0
    mov word [rdi+4], 0xEE00
    mov eax, landing
    mov edi, pristine + 0x90
    call set_offset
    mov edi, pristine + 0xA0
    call set_offset
    mov edi, pristine + 0xB0
    call set_offset
    mov edi, pristine + 0xC0
    call set_offset
    mov edi, pristine + 0xD0
    call set_offset
    mov edi, pristine + 0xF0
    call set_offset
    mov eax, tss
    mov edi, pristine + 0x30
    call set_base
    mov edi, pristine + 0x80
    call set_base
    mov eax, ldt
    mov edi, pristine + 0x70
    call set_base

    FAMILY 0x01, b_mov_es, 0
    FAMILY 0x02, b_mov_ss, skip_null_ss
    FAMILY 0x03, b_pop_gs, 0
    FAMILY 0x04, b_lss, skip_null_ss
    FAMILY 0x10, b_lar, skip_legacy_gates
    FAMILY 0x11, b_lsl, 0
    FAMILY 0x12, b_verr, 0
    FAMILY 0x13, b_verw, 0
    FAMILY 0x15, b_lldt, 0
    FAMILY 0x16, b_ltr, skip_null
    FAMILY 0x20, b_jmp, 0
    FAMILY 0x21, b_jmp64, 0
    FAMILY 0x22, b_call, 0
    FAMILY 0x23, b_call64, 0
    FAMILY 0x24, b_retfq, 0
    FAMILY 0x25, b_retfq_ss, 0
    FAMILY 0x26, b_retf_imm, 0
    FAMILY 0x30, b_iretq_cs, 0
    FAMILY 0x31, b_iretq_ss, skip_absent
    FAMILY 0x32, b_iretq_flags, 0
    FAMILY 0x33, b_iretd_cs, 0
    FAMILY 0x40, b_gate_attributes, 0
    FAMILY 0x41, b_gate_selector, 0
    FAMILY 0x42, b_gate_stack, 0, 8
    FAMILY 0x43, b_inner, 0, 64
    FAMILY 0x50, b_syscall, 0
    FAMILY 0x51, b_sysret64, 0
    FAMILY 0x52, b_sysret32, 0
    FAMILY 0x53, b_noncanonical, 0, 8
    mov al, 0x10
    out 0xF4, al
    hlt

landing:
    int 0x81

b_mov_es:
    mov es, ax
    int 0x81
b_mov_ss:
    mov ss, ax
    int 0x81
b_pop_gs:
    push rax
    pop gs
    int 0x81
b_lss:
    mov [far_pointer+4], ax
    lea ebx, [rsp-16]
    mov [far_pointer], ebx
    lss esp, [far_pointer]
    int 0x81
b_lar:
    mov rcx, 0xAAAAAAAAAAAAAAAA
    lar ecx, eax
    int 0x81
b_lsl:
    mov rcx, 0xAAAAAAAAAAAAAAAA
    lsl ecx, eax
    int 0x81
b_verr:
    verr ax
    int 0x81
b_verw:
    verw ax
    int 0x81
b_lldt:
    lldt ax
    int 0x81
b_ltr:
    ltr ax
    int 0x81
b_jmp:
    mov [far_pointer+4], ax
    mov dword [far_pointer], landing
    jmp far dword [far_pointer]
b_jmp64:
    mov [far_pointer+8], ax
    mov qword [far_pointer], landing
    db 0x48
    jmp far dword [far_pointer]
b_call:
    mov rcx, 0x1111111122222222
    push rcx
    mov [far_pointer+4], ax
    mov dword [far_pointer], landing
    call far dword [far_pointer]
b_call64:
    mov rcx, 0x1111111122222222
    push rcx
    mov [far_pointer+8], ax
    mov qword [far_pointer], landing
    db 0x48
    call far dword [far_pointer]
b_retfq:
    push DATA3
    push user_top - 96
    push rax
    push landing
    retfq
b_retfq_ss:
    push rax
    push user_top - 96
    push CODE3
    push landing
    retfq
b_retf_imm:
    push DATA3
    push user_top - 96
    push 0x55
    push rax
    push landing
    db 0x48
    retf 8
b_iretq_cs:
    push DATA3
    test al, 3
    jnz .outer
    mov qword [rsp], DATA0
.outer:
    push user_top - 96
    push 2
    push rax
    push landing
    iretq
b_iretq_ss:
    push rax
    push user_top - 96
    push 2
    mov ecx, CODE0
    test al, 3
    jz .same
    mov ecx, CODE3
.same:
    push rcx
    push landing
    iretq
b_iretq_flags:
    mov ecx, eax
    and ecx, 15
    mov ebx, [flag_patterns + rcx * 4]
    mov ecx, eax
    shr ecx, 4
    or ebx, [flag_patterns + rcx * 4]
    mov ecx, ss
    push rcx
    push user_top - 96
    push rbx
    mov ecx, cs
    push rcx
    push landing
    iretq
b_iretd_cs:
    sub rsp, 32
    mov dword [rsp], landing
    mov [rsp+4], eax
    mov dword [rsp+8], 2
    mov dword [rsp+12], user_top - 96
    mov dword [rsp+16], DATA3
    test al, 3
    jnz .outer
    mov dword [rsp+16], DATA0
.outer:
    iretd

set_gate:
    mov edi, idt + 16 * 0x60
    mov ebx, landing
    mov [rdi], bx
    mov word [rdi+2], CODE0
    mov word [rdi+4], 0xEE00
    shr ebx, 16
    mov [rdi+6], bx
    mov qword [rdi+8], 0
    ret

b_gate_attributes:
    call set_gate
    mov [rdi+5], al
    int 0x60
    int 0x81
b_gate_selector:
    call set_gate
    mov [rdi+2], ax
    int 0x60
    int 0x81
b_gate_stack:
    call set_gate
    mov [rdi+4], al
    int 0x60
    int 0x81
; Ring 1 handler: RSP1 unaligned by the operand.
b_inner:
    call set_gate
    mov word [rdi+2], CODE1
    lea ebx, [rax + stack1_top - 64]
    mov [tss + 12], rbx
    int 0x60
    int 0x81
; The operand's bits choose the flags that are set, and those that SYSCALL masks.
b_syscall:
    cmp dword [ring], 0
    jne .user
    push rax
    mov ecx, eax
    and ecx, 15
    mov eax, [flag_patterns + rcx * 4]
    xor edx, edx
    mov ecx, 0xC0000084
    wrmsr
    mov ecx, 0xC0000081
    xor eax, eax
    mov edx, 0x00180008
    wrmsr
    mov ecx, 0xC0000082
    mov eax, landing
    xor edx, edx
    wrmsr
    pop rax
.user:
    mov ecx, eax
    shr ecx, 4
    mov ebx, [flag_patterns + rcx * 4]
    and ebx, 0xFFFFFEFF
    or ebx, 2
    push rbx
    popfq
    syscall
    int 0x81
b_sysret64:
    mov ecx, eax
    and ecx, 15
    mov r11d, [flag_patterns + rcx * 4]
    mov ecx, eax
    shr ecx, 4
    or r11d, [flag_patterns + rcx * 4]
    and r11d, 0xFFFFFEFF
    mov ecx, landing
    db 0x48
    sysret
b_sysret32:
    mov ecx, eax
    and ecx, 15
    mov r11d, [flag_patterns + rcx * 4]
    mov ecx, eax
    shr ecx, 4
    or r11d, [flag_patterns + rcx * 4]
    and r11d, 0xFFFFFEFF
    mov rcx, 0x1234567800000000 + landing
    sysret
; Addresses that are not canonical, in instructions where every emulator checks them.
b_noncanonical:
    mov rbx, 0x0000800000000000
    jmp [noncanonical + rax * 8]
n_load: mov rcx, [rbx]
    int 0x81
n_store: mov [rbx], rcx
    int 0x81
n_high: mov rbx, 0xFFFF7FFFFFFFFFFF
    mov rcx, [rbx]
    int 0x81
n_inc: inc qword [rbx]
    int 0x81
n_ud: ud2
    int 0x81
n_pusha: db 0x60
    int 0x81
n_les: db 0xC4, 0x00
    int 0x81
n_int: int 0x82
    int 0x81

align 8
noncanonical: dq n_load, n_store, n_high, n_inc, n_ud, n_pusha, n_int, n_int
flag_patterns:
    dd 0, 1, 0x40, 0x80, 0x200, 0x400, 0x1000, 0x3000, 0x10000, 0x40000, 0x800, 0x10, 0x200000, 0x8D5, 0x8028, 0xFFC00000
stubs:
%assign v 0
%rep 32
    dd stub_ %+ v
%assign v v+1
%endrep

gdt_pointer: dw 0xFF
    dq gdt
idt_pointer: dw 16 * 0x83 - 1
    dq idt

align 16
pristine:
    dq 0
    dq 0x00AF9B000000FFFF ; 08 64-bit code 0
    dq 0x00CF93000000FFFF ; 10 data 0
    dq 0x00CFFB000000FFFF ; 18 32-bit code 3
    dq 0x00CFF3000000FFFF ; 20 data 3
    dq 0x00AFFB000000FFFF ; 28 64-bit code 3
    dq 0x0000890000000067 ; 30 TSS
    dq 0
    dq 0x00AF9F000000FFFF ; 40 conforming 0
    dq 0x00CF9B000000FFFF ; 48 32-bit code 0
    dq 0x00AF1B000000FFFF ; 50 code, not present
    dq 0x00CF13000000FFFF ; 58 data, not present
    dq 0x00CF99000000FFFF ; 60 execute-only
    dq 0x00CF90000000FFFF ; 68 read-only 0
    dq 0x000082000000001F ; 70 LDT
    dq 0
    dq 0x0000890000000067 ; 80 a second TSS
    dq 0
    dq 0x0000EC0000080000 ; 90 call gate, DPL 3
    dq 0
    dq 0x0000EC0000480000 ; A0 call gate to 32-bit code
    dq 0
    dq 0x00008C0000080000 ; B0 call gate, DPL 0
    dq 0
    dq 0x0000EC0000080000 ; C0 call gate whose upper half has a type
    dq 0x00000F0000000000
    dq 0x00006C0000080000 ; D0 call gate, not present
    dq 0
    dq 0x00AFFF000000FFFF ; E0 conforming 3
    dq 0x00AFBB000000FFFF ; E8 64-bit code 1
    dq 0x0000E40000080000 ; F0 16-bit call gate
    dq 0x0000E50000300000 ; F8 task gate
    ; LDT
    dq 0x00AF9B000000FFFF
    dq 0x00CF93000000FFFF
    dq 0x00AFFB000000FFFF
    dq 0x00CFF3000000FFFF
pristine_tss:
    dd 0
    dq stack_top - 0x800, stack1_top, 0
    dq 0
    dq ist_top, ist_top + 0x108, ist_top - 0x104, 0x1000, 0x2000, 0x3000, 0x4000
    dq 0
    dw 0, 0x68
    align 16, db 0
pristine_idt:
    times 16 * 0x83 db 0

section .bss align=4096
page_tables: resb 3 * 4096
gdt: resb 256
ldt: resb 32
tss: resb 0x70
idt: resb 16 * 0x83
tables_end:
alignb 16
family: resd 1
operand: resd 1
ring: resd 1
count: resd 1
body: resq 1
skip: resq 1
resume: resq 1
saved_rsp: resq 1
far_pointer: resq 2
results:
r_vector: resd 1
r_error: resd 1
r_rip: resq 1
r_cs: resq 1
r_rflags: resd 1
r_ds: resd 1
r_rsp: resq 1
r_ss: resq 1
r_frame: resq 1
r_rax: resq 1
r_rcx: resq 1
r_r11: resq 1
r_es: resd 1
r_fs: resd 1
r_gs: resd 1
r_tr: resd 1
r_ldtr: resd 1
r_pad: resd 1
r_words: resq 6
results_end:
alignb 16
resb 1024
user_top: resb 64
resb 1024
stack1_top: resb 64
resb 1024
ist_top: resb 1024
resb 8192
stack_top: resb 64
image_end:
