; Protected-mode privilege rules, exhaustively over 256 selectors (or gate attributes, or flag patterns) a family, in rings 0 and 3.
; Prints one line a case on port 0xE9: family, operand, ring, vector, error code, EIP, CS, EFLAGS, ESP, SS, EAX, ECX, DS, ES, FS, GS, TR and
; LDTR, a sum over the descriptor tables, and the stack's first words. A multiboot image; ends through the debug-exit port 0xF4.
bits 32
org 0x100000

start:
    dd 0x1BADB002, 0x00010000, -(0x1BADB002 + 0x00010000)
    dd start, start, 0, image_end, entry

CODE0 equ 0x08
DATA0 equ 0x10
CODE3 equ 0x1B
DATA3 equ 0x23
TSS equ 0x28
BASED equ 0xA0
CODE1 equ 0xB0
DATA1 equ 0xB8

%assign v 0
%rep 32
stub_ %+ v:
%if v != 8 && (v < 10 || v > 14) && v != 17
    push dword 0xFFFFFFFF
%endif
    push dword v
    jmp event
%assign v v+1
%endrep
stub_done:
    push dword 0xFFFFFFFF
    push dword 0x81
    jmp event

; Every event ends here, in ring 0.
event:
    cld
    pushad
    push ds
    push es
    push fs
    push gs
    mov ax, DATA0
    mov ds, ax
    mov es, ax
    mov ebp, esp
    ; ebp: gs fs es ds | edi esi ebp esp ebx edx ecx eax | vector error eip cs eflags [esp ss]
    mov eax, [ebp+0]
    mov [r_gs], ax
    mov eax, [ebp+4]
    mov [r_fs], ax
    mov eax, [ebp+8]
    mov [r_es], ax
    mov eax, [ebp+12]
    mov [r_ds], ax
    mov eax, [ebp+44]
    mov [r_eax], eax
    mov eax, [ebp+40]
    mov [r_ecx], eax
    mov eax, [ebp+48]
    mov [r_vector], eax
    mov eax, [ebp+52]
    cmp dword [family], 0x45
    jne .whole
    and al, 0xFE ; EXT, which not every emulator sets when an exception is delivered
.whole:
    mov [r_error], eax
    mov eax, [ebp+56]
    mov [r_eip], eax
    mov eax, [ebp+60]
    mov [r_cs], eax
    mov eax, [ebp+64]
    and eax, 0xFFFEFFFF ; not every emulator saves RF with a fault
    mov [r_eflags], eax
    test byte [ebp+66], 2 ; virtual-8086
    jnz .outer
    test byte [ebp+60], 3
    jnz .outer
    lea eax, [ebp+68]
    mov [r_esp], eax
    mov ax, ss
    mov [r_ss], ax
    jmp .stack
.outer:
    mov eax, [ebp+68]
    mov [r_esp], eax
    mov eax, [ebp+72]
    mov [r_ss], ax
.stack:
    str ax
    mov [r_tr], ax
    sldt ax
    mov [r_ldtr], ax
    mov esi, [r_esp]
    mov edi, r_words
    mov ecx, 6
    cmp esi, image_end + 0x10000
    jae .nowords
    cmp esi, 0x100000
    jb .nowords
    rep movsd
.nowords:
    mov ax, DATA0
    mov ss, ax
    mov fs, ax
    mov gs, ax
    mov esp, [saved_esp]
    jmp [resume]

; Prints eax as 8 digits and a blank.
puthex:
    push ecx
    push edx
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
    mov al, ' '
    out 0xE9, al
    pop edx
    pop ecx
    ret

%macro SHOW 1
    mov eax, [%1]
    call puthex
%endmacro

emit:
    pushad
    SHOW family
    SHOW operand
    SHOW ring
    SHOW r_vector
    SHOW r_error
    SHOW r_eip
    SHOW r_cs
    SHOW r_eflags
    SHOW r_esp
    SHOW r_ss
    SHOW r_eax
    SHOW r_ecx
    SHOW r_ds
    SHOW r_es
    SHOW r_fs
    SHOW r_gs
    SHOW r_tr
    SHOW r_ldtr
    ; the tables' sum shows accessed and busy bits
    mov esi, gdt
    mov ecx, (tables_end - gdt) / 4
    xor eax, eax
.sum:
    rol eax, 1
    add eax, [esi]
    add esi, 4
    dec ecx
    jnz .sum
    call puthex
    mov esi, r_words
    mov ecx, 6
.words:
    mov eax, [esi]
    call puthex
    add esi, 4
    dec ecx
    jnz .words
    mov al, 10
    out 0xE9, al
    popad
    ret

; Everything as it was: tables, TSS, gates, results, LDTR, TR.
reset:
    pushad
    mov esi, pristine
    mov edi, gdt
    mov ecx, (tables_end - gdt) / 4
    rep movsd
    xor eax, eax
    mov edi, results
    mov ecx, (results_end - results) / 4
    rep stosd
    mov edi, user_top - 64
    mov ecx, 16
    rep stosd
    mov edi, stack1_top - 64
    mov ecx, 16
    rep stosd
    mov ax, TSS
    ltr ax
    mov ax, 0x68
    lldt ax
    lidt [idt_pointer]
    popad
    ret

; Runs a body for every operand in both rings. family, body and skip are set.
run:
    mov dword [ring], 0
.ring:
    mov dword [operand], 0
.case:
    mov eax, [operand]
    cmp dword [skip], 0
    je .go
    call [skip]
    jc .skipped
.go:
    call reset
    mov dword [resume], .next
    mov [saved_esp], esp
    cmp dword [ring], 0
    jne .user
    xor ecx, ecx
    xor edx, edx
    mov eax, [operand]
    push dword 2
    popfd
    jmp [body]
.user:
    push dword DATA3
    push dword user_top - 32
    push dword 2
    push dword CODE3
    push dword [body]
    mov ax, DATA3
    mov ds, ax
    mov es, ax
    mov fs, ax
    mov gs, ax
    xor ecx, ecx
    xor edx, edx
    mov eax, [operand]
    iretd
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

; Operands that would switch tasks: the available TSS and the task gates.
skip_tasks:
    push eax
    and al, 0xFC
    cmp al, 0x70
    je .yes
    cmp al, 0xD8
    je .yes
    pop eax
    clc
    ret
.yes:
    pop eax
    stc
    ret

; Null selectors, which LTR refuses: not every emulator does.
skip_null:
    cmp eax, 4
    ret

skip_but_tasks:
    push eax
    and al, 0xFC
    cmp al, 0x70
    je .no
    cmp al, 0xD8
    je .no
    cmp al, 0x28
    je .no
    cmp al, 0x68
    je .no
    pop eax
    stc
    ret
.no:
    pop eax
    clc
    ret

; Other emulators report faults inside a task switch at the old task's instruction, so these take valid selectors only.
skip_but_user_data:
    cmp al, 0x23
    je .no
    cmp al, 0x1F
    je .no
    stc
    ret
.no:
    clc
    ret

skip_but_user_code:
    cmp al, 0x1B
    je .no
    cmp al, 0xEB
    je .no
    cmp al, 0x17
    je .no
    cmp al, 0xE3
    je .no
    stc
    ret
.no:
    clc
    ret

skip_but_readable:
    push eax
    cmp eax, 4
    jb .no
    or al, 3
    verr ax
    jz .no
    pop eax
    stc
    ret
.no:
    pop eax
    clc
    ret

skip_but_ldt:
    push eax
    and al, 0xFC
    jz .no
    cmp al, 0x68
    je .no
    pop eax
    stc
    ret
.no:
    pop eax
    clc
    ret

; Links that lead nowhere; the valid one is another family's.
skip_but_one:
    push eax
    and al, 0xFC
    cmp al, 0x28
    pop eax
    je .yes
    clc
    ret
.yes:
    stc
    ret

; Virtual-8086 mode starts from ring 0, and not every emulator has CR4.VME.
skip_virtual:
    test al, 0x40
    jnz .yes
    cmp dword [ring], 1
    cmc
    ret
.yes:
    stc
    ret

; Besides tasks, the call gate to conforming code: not every emulator stays on the outer stack.
skip_calls:
    push eax
    and al, 0xFC
    cmp al, 0x88
    pop eax
    jne skip_tasks
    stc
    ret

; Gate attributes with 16-bit offsets, which would not reach the stubs.
skip_short_gates:
    push eax
    and al, 0x1C
    cmp al, 4
    pop eax
    je .yes
    clc
    ret
.yes:
    stc
    ret

; Gate attributes that make a task gate.
skip_task_gates:
    push eax
    and al, 0x1F
    cmp al, 5
    pop eax
    je .yes
    clc
    ret
.yes:
    stc
    ret

%macro FAMILY 3-4 256
    mov dword [family], %1
    mov dword [body], %2
    mov dword [skip], %3
    mov dword [count], %4
    call run
%endmacro

entry:
    mov esp, stack_top
    mov al, 0xFF
    out 0x21, al
    out 0xA1, al
    mov word [landing - 0x100000], 0x81CD ; where 16-bit offsets lead in flat segments
    mov esi, pristine
    mov edi, gdt
    mov ecx, 64
    rep movsd
    lgdt [gdt_pointer]
    jmp CODE0:.reload
.reload:
    mov ax, DATA0
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov fs, ax
    mov gs, ax
    ; the IDT: vectors 0 to 31 for ring 0, 0x80 and 0x81 for everyone
    mov edi, pristine_idt
    mov esi, stubs
    mov ecx, 32
.gates:
    mov eax, [esi]
    mov [edi], ax
    mov word [edi+2], CODE0
    mov word [edi+4], 0x8E00
    shr eax, 16
    mov [edi+6], ax
    add esi, 4
    add edi, 8
    dec ecx
    jnz .gates
    mov byte [pristine_idt + 8 * 3 + 5], 0xEE
    mov esi, virtual_code
    mov edi, 0x8000
    mov ecx, virtual_end - virtual_code
    rep movsb
    mov dword [4 * 0x21], 0x08000000 + (v_handler - virtual_code)
    mov eax, stub_done
    mov edi, pristine_idt + 8 * 0x81
    mov [edi], ax
    mov word [edi+2], CODE0
    mov word [edi+4], 0xEE00
    shr eax, 16
    mov [edi+6], ax
    ; gates into the image
    mov eax, landing
    mov edi, pristine + 0x78
    call set_offset
    mov edi, pristine + 0x80
    call set_offset
    mov edi, pristine + 0x88
    call set_offset
    mov edi, pristine + 0x90
    call set_offset
    mov edi, pristine + 0xA8
    call set_offset
    mov edi, pristine + 0xC0
    call set_offset
    mov edi, pristine + 0xC8
    call set_offset
    mov edi, pristine + 0xD0
    call set_offset
    mov edi, pristine + 0x128
    call set_offset
    mov eax, landing - 0x100000
    mov edi, pristine + 0x98
    call set_offset
    mov eax, tss
    mov edi, pristine + 0x28
    call set_base
    mov eax, tss2
    mov edi, pristine + 0x70
    call set_base
    mov eax, ldt
    mov edi, pristine + 0x68
    call set_base
    lidt [idt_pointer]

    FAMILY 0x01, b_mov_es, 0
    FAMILY 0x02, b_mov_ss, 0
    FAMILY 0x03, b_mov_ds, 0
    FAMILY 0x04, b_pop_fs, 0
    FAMILY 0x05, b_les, 0
    FAMILY 0x06, b_lss, 0
    FAMILY 0x10, b_lar, 0
    FAMILY 0x11, b_lsl, 0
    FAMILY 0x12, b_verr, 0
    FAMILY 0x13, b_verw, 0
    FAMILY 0x14, b_arpl, 0
    FAMILY 0x15, b_lldt, 0
    FAMILY 0x16, b_ltr, skip_null
    FAMILY 0x20, b_jmp, skip_tasks
    FAMILY 0x21, b_jmp_based, skip_tasks
    FAMILY 0x22, b_call, skip_calls
    FAMILY 0x23, b_retf, 0
    FAMILY 0x24, b_retf_imm, 0
    FAMILY 0x25, b_retf_ss, 0
    FAMILY 0x30, b_iret_cs, 0
    FAMILY 0x31, b_iret_ss, 0
    FAMILY 0x32, b_iret_flags, 0
    FAMILY 0x33, b_iret16, 0
    FAMILY 0x40, b_gate_attributes, skip_task_gates
    FAMILY 0x41, b_gate_selector, 0
    FAMILY 0x42, b_inner_ss, 0
    FAMILY 0x43, b_breakpoints, 0, 4
    FAMILY 0x44, b_idt_limit, 0
    FAMILY 0x45, b_fault_bad_gate, skip_short_gates
    FAMILY 0x50, b_privileged, 0, 18
    FAMILY 0x51, b_port, 0
    FAMILY 0x70, b_task_jump, skip_but_tasks
    FAMILY 0x71, b_task_call, skip_but_tasks
    FAMILY 0x72, b_task_ds, skip_but_readable
    FAMILY 0x73, b_task_ss, skip_but_user_data
    FAMILY 0x74, b_task_cs, skip_but_user_code
    FAMILY 0x75, b_task_ldt, skip_but_ldt
    FAMILY 0x76, b_task_interrupt, 0, 1
    FAMILY 0x77, b_task_return, skip_but_one
    FAMILY 0x78, b_task_there_and_back, 0, 1
    FAMILY 0x60, b_virtual, skip_virtual, 512 ; last: not every emulator clears VIF and VIP in POPFD
    mov al, 0x10
    out 0xF4, al
    hlt

set_offset:
    push eax
    mov [edi], ax
    shr eax, 16
    mov [edi+6], ax
    pop eax
    ret

set_base:
    push eax
    mov [edi+2], ax
    shr eax, 16
    mov [edi+4], al
    mov [edi+7], ah
    pop eax
    ret

landing:
    int 0x81

; ebx: where landing lies in the segment of selector al.
target:
    mov ebx, landing
    push eax
    and al, 0xFC
    cmp al, BASED
    pop eax
    jne .flat
    sub ebx, 0x100000
.flat:
    ret

b_mov_es:
    mov es, ax
    int 0x81
b_mov_ds:
    mov ds, ax
    int 0x81
b_mov_ss:
    mov ss, ax
    int 0x81
b_pop_fs:
    push eax
    pop fs
    int 0x81
b_les:
    mov [far_pointer+4], ax
    mov dword [far_pointer], 0x12345678
    les ecx, [far_pointer]
    int 0x81
b_lss:
    mov [far_pointer+4], ax
    mov ebx, esp
    sub ebx, 16
    mov [far_pointer], ebx
    lss esp, [far_pointer]
    int 0x81
b_lar:
    mov ecx, 0xAAAAAAAA
    lar ecx, eax
    int 0x81
b_lsl:
    mov ecx, 0xAAAAAAAA
    lsl ecx, eax
    int 0x81
b_verr:
    verr ax
    int 0x81
b_verw:
    verw ax
    int 0x81
b_arpl:
    mov ecx, eax
    shr ecx, 4
    and ecx, 3
    arpl ax, cx
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
    jmp far [far_pointer]
b_jmp_based:
    mov [far_pointer+4], ax
    mov dword [far_pointer], landing - 0x100000
    cmp al, BASED
    je .go
    mov dword [far_pointer], landing
.go:
    jmp far [far_pointer]
b_call:
    push dword 0x11111111
    push dword 0x22222222
    push dword 0x33333333
    push dword 0x44444444
    mov [far_pointer+4], ax
    call target
    mov [far_pointer], ebx
    call far [far_pointer]
b_retf:
    call target
    push dword DATA3
    push dword user_top - 48
    push eax
    push ebx
    retf
b_retf_imm:
    call target
    push dword DATA3
    push dword user_top - 48
    push dword 0x55555555
    push dword 0x66666666
    push eax
    push ebx
    retf 8
b_retf_ss:
    push eax
    push dword user_top - 48
    push dword CODE3
    push dword landing
    retf
b_iret_cs:
    call target
    push dword DATA3
    push dword user_top - 48
    push dword 0x0002
    push eax
    push ebx
    iretd
b_iret_ss:
    push eax
    push dword user_top - 48
    push dword 0x0002
    push dword CODE3
    push dword landing
    iretd
; Flag patterns: the operand's bits to flags of all kinds, NT and VM left out.
b_iret_flags:
    mov edx, eax
    mov ecx, eax
    and ecx, 0x0F
    mov ebx, [flag_patterns + ecx * 4]
    shr eax, 4
    and eax, 0x0F
    or ebx, [flag_patterns + eax * 4]
    mov eax, edx
    push dword DATA3
    push dword user_top - 48
    push ebx
    mov ecx, cs
    push ecx
    push dword landing
    iretd
b_iret16:
    ; a 16-bit frame to the based segment, from ring 0
    push word 0x0ED7
    push ax
    push word landing - 0x100000
    o16 iret
b_gate_attributes:
    push ds
    push ss
    pop ds
    mov edi, idt + 8 * 0x60
    mov word [edi], landing - 0x100000
    mov word [edi+2], BASED
    mov byte [edi+4], 0
    mov [edi+5], al
    mov word [edi+6], 0
    pop ds
    int 0x60
    int 0x81
b_gate_selector:
    mov edi, idt + 8 * 0x60
    call target
    mov [edi], bx
    mov [edi+2], ax
    mov word [edi+4], 0xEE00
    shr ebx, 16
    mov [edi+6], bx
    int 0x60
    int 0x81
; Ring 1 handler, its stack segment taken from the operand.
b_inner_ss:
    mov [tss+16], ax
    mov edi, idt + 8 * 0x60
    mov ebx, landing
    mov [edi], bx
    mov word [edi+2], CODE1
    mov word [edi+4], 0xEE00
    shr ebx, 16
    mov [edi+6], bx
    int 0x60
    int 0x81
b_breakpoints:
    cmp al, 1
    jb .int3
    je .into
    mov al, 0x7F
    add al, 1
    into
    int 0x81
.int3:
    int3
.into:
    xor ecx, ecx
    into
    int 0x81
; A vector beyond an IDT cut short, from the software side.
b_idt_limit:
    mov ecx, cs
    test cl, 3
    jnz .no
    lidt [short_idt]
    push eax
    push dword .back
    jmp .int
.back:
.int:
    int 0x90
.no:
    int 0x81
; A fault whose gate is bad: the second fault arrives, with EXT.
b_fault_bad_gate:
    mov [idt + 8 * 6 + 5], al
    ud2
b_privileged:
    jmp [privileged + eax * 4]
; Task switches: to the second TSS or its gate, with one selector of the new task from the operand.
b_task_jump:
    mov [far_pointer+4], ax
    jmp far [far_pointer]
    int 0x81
b_task_call:
    mov [far_pointer+4], ax
    call far [far_pointer]
    int 0x81
b_task_ds:
    mov [tss2 + 0x54], ax
    jmp task_go
b_task_ss:
    mov [tss2 + 0x50], ax
    jmp task_go
b_task_cs:
    mov [tss2 + 0x4C], ax
    jmp task_go
b_task_ldt:
    mov [tss2 + 0x60], ax
task_go:
    mov word [far_pointer+4], 0x7B + 0x60 ; the gate, for every ring
    call far [far_pointer]
    int 0x81
b_task_interrupt:
    mov edi, idt + 8 * 0x60
    mov word [edi+2], 0x70
    mov word [edi+4], 0xE500
    mov eax, 0x12345678
    int 0x60
    int 0x81
b_task_return:
    mov [tss], ax
    pushfd
    or dword [esp], 0x4000
    popfd
    iretd
; A nested task comes back by IRET and goes on behind the CALL.
b_task_there_and_back:
    mov dword [tss2 + 0x20], back_by_iret
    mov word [far_pointer+4], 0x7B + 0x60
    mov ecx, 0x55AA55AA
    call far [far_pointer]
    mov eax, ecx
    int 0x81
back_by_iret:
    mov ecx, 1
    iretd
    int 0x81

; Virtual-8086 mode: bits 4:0 choose the instruction, 5 IOPL 3, 7 VIF, 8 VIP.
b_virtual:
    mov ecx, eax
    and ecx, 31
    movzx ebx, word [virtual_table + ecx * 2]
    mov edx, 0x20002
    test al, 0x20
    jz .iopl
    or edx, 0x3000
.iopl:
    test al, 0x80
    jz .vif
    or edx, 0x80000
.vif:
    test ah, 1
    jz .vip
    or edx, 0x100000
.vip:
    push dword 0x840
    push dword 0x830
    push dword 0x820
    push dword 0x810
    push dword 0x900
    push dword 0xF00
    push edx
    push dword 0x800
    push ebx
    iretd

b_port:
    mov edx, eax
    shl edx, 3
    or edx, 0xE0
    in al, dx
    mov eax, edx
    int 0x81
p_cli: cli
    int 0x81
p_sti: sti
    int 0x81
p_clts: clts
    int 0x81
p_cr0: mov eax, cr0
    xor eax, eax
    int 0x81
p_dr: mov eax, dr7
    int 0x81
p_dr4: mov eax, dr4
    int 0x81
p_lmsw: lmsw ax
    int 0x81
p_smsw: smsw eax
    and eax, 0xFFFF
    int 0x81
p_invlpg: invlpg [0]
    int 0x81
p_wbinvd: wbinvd
    int 0x81
p_lgdt: lgdt [gdt_pointer]
    int 0x81
p_rdmsr: mov ecx, 0x174
    rdmsr
    int 0x81
p_sysenter: sysenter
    int 0x81
p_sysexit: sysexit
    int 0x81
p_ud: ud2
    int 0x81
p_popcs: db 0x8E, 0xC8
    int 0x81
p_sreg7: db 0x8E, 0xF8
    int 0x81
p_rsm: rsm
    int 0x81

bits 16
virtual_code:
v_handler:
    pushf
    pop ax
    mov bp, sp
    mov cx, [bp+4]
    int3
v_cli: cli
    int3
v_sti: sti
    int3
v_pushf: pushf
    pop ax
    int3
v_popf: push word 0x0ED7
    popf
    int3
v_popfd: push dword 0x00190202
    popfd
    int3
v_int: int 0x21
    int3
v_monitor: int 0x22
    int3
v_iret: push word 0x0ED7
    push cs
    push word v_landing - virtual_code
    iret
v_iret_trap: push word 0x0302
    push cs
    push word v_landing - virtual_code
    iret
v_iretd: push dword 0x00190202
    push dword 0x800
    push dword v_landing - virtual_code
    iretd
v_landing: int3
v_in: in al, 0x80
    xor ax, ax
    int3
v_in_refused: mov dx, 0xEC
    in al, dx
    xor ax, ax
    int3
v_out_word: mov dx, 0xDF
    out dx, ax
    int3
v_hlt: hlt
    int3
v_les: mov ds, dx
    int3
v_jmp: jmp 0x7F0:(v_landing - virtual_code + 0x100)
v_call: call 0x7F0:(v_landing - virtual_code + 0x100)
v_retf: push word 0x7F0
    push word v_landing - virtual_code + 0x100
    retf
v_lgdt: lgdt [0]
    int3
v_smsw: smsw ax
    int3
v_cr0: mov eax, cr0
    int3
v_lar: lar ax, ax
    int3
v_sldt: sldt ax
    int3
v_str: str ax
    int3
v_arpl: arpl ax, ax
    int3
v_lldt: lldt ax
    int3
v_pushfd: pushfd
    pop eax
    int3
v_popf_off: push word 0
    popf
    int3
v_into: mov al, 0x7F
    add al, 1
    into
    int3
v_ud: ud2
    int3
v_rdmsr: mov ecx, 0x174
    rdmsr
    int3
v_pushs: push ds
    pop ax
    int3
virtual_end:
bits 32

align 8
virtual_table:
    dw v_cli - virtual_code, v_sti - virtual_code, v_pushf - virtual_code, v_popf - virtual_code, v_popfd - virtual_code, v_int - virtual_code
    dw v_monitor - virtual_code, v_iret - virtual_code, v_iret_trap - virtual_code, v_iretd - virtual_code, v_in - virtual_code
    dw v_in_refused - virtual_code, v_out_word - virtual_code, v_hlt - virtual_code, v_les - virtual_code, v_jmp - virtual_code
    dw v_call - virtual_code, v_retf - virtual_code, v_lgdt - virtual_code, v_smsw - virtual_code, v_cr0 - virtual_code, v_lar - virtual_code
    dw v_sldt - virtual_code, v_str - virtual_code, v_arpl - virtual_code, v_lldt - virtual_code, v_pushfd - virtual_code
    dw v_popf_off - virtual_code, v_into - virtual_code, v_ud - virtual_code, v_rdmsr - virtual_code, v_pushs - virtual_code
privileged:
    dd p_cli, p_sti, p_clts, p_cr0, p_dr, p_dr4, p_lmsw, p_smsw, p_invlpg, p_wbinvd, p_lgdt, p_rdmsr
    dd p_sysenter, p_sysexit, p_ud, p_popcs, p_sreg7, p_rsm
flag_patterns:
    dd 0, 1, 0x40, 0x100, 0x200, 0x400, 0x1000, 0x3000, 0x10000, 0x40000, 0x201, 0x80, 0x200000, 0x8D5, 0x8028, 0xFFC00000
stubs:
%assign v 0
%rep 32
    dd stub_ %+ v
%assign v v+1
%endrep

gdt_pointer: dw 0xFF
    dd gdt
idt_pointer: dw 0x41F
    dd idt
short_idt: dw 0x3FF
    dd idt

; What the tables are copied from before each case; code is marked accessed, since not every emulator does that. The GDT, then LDT, TSS and IDT.
align 16
pristine:
    dq 0
    dq 0x00CF9B000000FFFF ; 08 code 0
    dq 0x00CF93000000FFFF ; 10 data 0
    dq 0x00CFFB000000FFFF ; 18 code 3
    dq 0x00CFF3000000FFFF ; 20 data 3
    dq 0x0000890000000083 ; 28 TSS
    dq 0x00CF9F000000FFFF ; 30 conforming 0
    dq 0x00CF99000000FFFF ; 38 execute-only
    dq 0x00CF90000000FFFF ; 40 read-only 0
    dq 0x00CFF1000000FFFF ; 48 read-only 3
    dq 0x00CF1A000000FFFF ; 50 code, not present
    dq 0x00CF12000000FFFF ; 58 data, not present
    dq 0x00C096000000000F ; 60 expand-down, from 64 KiB up
    dq 0x000082000000003F ; 68 LDT
    dq 0x0000E90000000067 ; 70 a second TSS, DPL 3
    dq 0x0000EC0000080000 ; 78 call gate, DPL 3, code 0
    dq 0x00008C0000080000 ; 80 call gate, DPL 0
    dq 0x0000EC0000300000 ; 88 call gate to conforming code
    dq 0x00006C0000080000 ; 90 call gate, not present
    dq 0x0000E40000A00000 ; 98 16-bit call gate to the based segment
    dq 0x00409B100000FFFF ; A0 code 0 at 1 MiB, 64 KiB
    dq 0x0000EC0300080000 ; A8 call gate with three parameters
    dq 0x00CFBB000000FFFF ; B0 code 1
    dq 0x00CFB3000000FFFF ; B8 data 1
    dq 0x0000EC0000B00000 ; C0 call gate to code 1
    dq 0x0000EC0000100000 ; C8 call gate to data
    dq 0x0000EC0000000000 ; D0 call gate to nothing
    dq 0x0000E50000700000 ; D8 task gate to the second TSS
    dq 0x00CFFF000000FFFF ; E0 conforming 3
    dq 0x00CFFB000000FFFF ; E8 code 3
    dq 0x0000800000000000 ; F0 system type 0
    dq 0x0000880000000000 ; F8 system type 8
    ; LDT
    dq 0x00CF9B000000FFFF
    dq 0x00CF92000000FFFF
    dq 0x00CFFB000000FFFF
    dq 0x00CFF3000000FFFF
    dq 0x0000820000000000
    dq 0x0000EC0000080000
    dq 0x00CF1A000000FFFF
    dq 0x00CF9F000000FFFF
pristine_tss:
    dd 0, stack_top - 0x800, DATA0, stack1_top, DATA1 | 1, 0, 0
    times 0x64 - 28 db 0
    dw 0, 0x68
    ; I/O map: ports 0x80 to 0xFF and some above are refused
    times 16 db 0
    db 0x00, 0xFF, 0x55, 0x00
    times 8 db 0xFF
pristine_idt:
    times 0x420 db 0
pristine_tss2:
    dd 0, stack_top - 0x900, DATA0, stack1_top, DATA1 | 1, 0, 0, 0, landing, 2
    dd 0xA0, 0xC1, 0xD2, 0xB3, user_top - 32, 0xE5, 0x56, 0x57
    dd DATA3, CODE3, DATA3, DATA3, DATA3, DATA3, 0x68
    dw 0, 0x68
pristine_end:

section .bss align=16
gdt: resb 256
ldt: resb 64
tss: resb 0x84
idt: resb 0x420
tss2: resb 0x68
tables_end:
alignb 16
family: resd 1
operand: resd 1
ring: resd 1
body: resd 1
skip: resd 1
count: resd 1
resume: resd 1
saved_esp: resd 1
far_pointer: resd 2
results:
r_vector: resd 1
r_error: resd 1
r_eip: resd 1
r_cs: resd 1
r_eflags: resd 1
r_esp: resd 1
r_ss: resd 1
r_eax: resd 1
r_ecx: resd 1
r_ds: resd 1
r_es: resd 1
r_fs: resd 1
r_gs: resd 1
r_tr: resd 1
r_ldtr: resd 1
r_words: resd 6
results_end:
resb 1024
user_top: resb 64
resb 1024
stack1_top: resb 64
resb 8192
stack_top: resb 64
image_end:
