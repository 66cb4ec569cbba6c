#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Check the trusted image, the file itself: what it may contain and how much stack it can use.

usage: check_image.py IMAGE LAYOUT_H [UPLINK_ARCHIVE DRIVER_OBJECT…]

Our own code is checked whole; what is compiled with DPDK's headers may use SSE4.2. Of DPDK's objects,
what a gate call can reach is checked: it may also use the thread block at %fs, and call through the
mempool's table, which leads to our pool.
First the checks are shown code that they must refuse, so that they cannot pass by being blind.
Needs binutils (as, nm, objdump, readelf). Exit status 0: all is well; 1: what is not is printed.
"""
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

# Offsets of enqueue and dequeue in struct rte_mempool_ops_table's first entry: what the drivers call
# through it, and where that leads (vswitch/uplink/ops_table.c).
POOL_CALLS = {0x70: "elisa_pool_enqueue", 0x78: "elisa_pool_dequeue"}
# What a driver's code may reach and must trap: the ends of paths that are not taken.
TRAPS = {"__rte_panic", "__stack_chk_fail", "rte_pktmbuf_detach"}
# System instructions that have a business there, each in one function of ours.
ALLOWED = {"elisa_thread_enter": {"rdfsbase", "wrfsbase", "rdtsc"}, "elisa_thread_leave": {"wrfsbase"}, "elisa_clock_rdtsc": {"rdtsc"}}
STACK_LIMIT = 24 * 1024  # of ELISA_STACK_SIZE, 32 KiB: the workspace, and the frames of a call
IMAGE_MAGIC = 0x4547414D49415345
PT_LOAD, PT_GNU_STACK = 1, 0x6474E551

SYSTEM = """syscall sysret sysenter sysexit int int1 int3 into iret iretq vmfunc vmcall vmmcall vmlaunch vmresume
wrmsr rdmsr rdpmc rdtsc rdtscp cpuid xgetbv xsetbv in out ins outs insb insl outsb outsl hlt cli sti pushf popf
pushfq popfq std lgdt lidt lldt ltr swapgs rdfsbase rdgsbase wrfsbase wrgsbase wrpkru rdpkru ud2 emms ldmxcsr
clac stac invlpg monitor mwait rdrand rdseed xsave xrstor lret ljmp lcall""".split()
BEYOND_SSE2 = """addsubps addsubpd haddps haddpd lddqu movddup movshdup movsldup pshufb palignr pabsb pabsw pabsd
phaddw phaddd psignb psignw psignd pmulhrsw pmaddubsw ptest pmulld pmuldq pcmpeqq pcmpgtq packusdw pextrb pextrd pextrq
pinsrb pinsrd pinsrq pminsb pminsd pminuw pminud pmaxsb pmaxsd pmaxuw pmaxud pblendw pblendvb blendps blendpd dpps dppd
movntdqa mpsadbw phminposuw popcnt lzcnt andn bextr blsi blsr blsmsk bzhi pdep pext mulx rorx sarx shlx shrx crc32
movbe pclmulqdq aesenc aesdec""".split()
FLOAT = re.compile(r"^(add|sub|mul|div|sqrt|max|min|rcp|rsqrt|cmp\w*|ucomi|comi|cvt\w*)(ss|sd|ps|pd|si|sil|siq)$")
PREFIXES = ("lock", "rep", "repz", "repnz", "addr32", "data16", "cs", "ds", "notrack", "bnd", "rex.W")


class Refused(Exception):
    """The image is not as it must be."""


def refuse(condition, message):
    if condition:
        raise Refused(message)


def check_instruction(mnemonic, operands, text, sse4=False, driver=False):
    """Refuse one instruction (AT&T syntax) that has no business in the trusted context."""
    refuse(mnemonic in SYSTEM, f"system instruction: {text}")
    refuse(mnemonic in BEYOND_SSE2 and not sse4, f"beyond SSE2: {text}")
    refuse(mnemonic.startswith("v"), f"AVX: {text}")
    refuse(mnemonic.startswith("f") or re.search(r"%(st|mm[0-7])\b", operands), f"x87 or MMX: {text}")
    refuse(FLOAT.match(mnemonic), f"floating point: {text}")
    refuse(re.search(r"%[yz]mm|%k[0-7]", operands), f"AVX state: {text}")
    refuse(re.search(r"%gs\b" if driver else r"%[fg]s\b", operands), f"thread-local or segment-relative: {text}")
    refuse(re.search(r"%(cr|dr)\d|%[cdes]s\b", operands), f"system register: {text}")
    refuse(mnemonic.startswith(("call", "jmp")) and "*" in operands and not (driver and pool_call(operands)),
           f"indirect branch: {text}")
    refuse("(bad)" in text, f"not an instruction: {text}")


def pool_call(operands):
    """Where a call through the mempool's table leads, or None: it is no such call."""
    match = re.match(r"^\*0x([0-9a-f]+)\(%r\w+\)$", operands)
    return POOL_CALLS.get(int(match[1], 16)) if match else None


def disassemble(path):
    """Functions of the file: name -> (address, [(mnemonic, operands, text)])."""
    functions, current = {}, None
    output = subprocess.run(["objdump", "-d", "--no-show-raw-insn", path], check=True,
                            capture_output=True, text=True).stdout
    for line in output.splitlines():
        head = re.match(r"^([0-9a-f]+) <(.+)>:$", line)
        if head:
            refuse(head[2] in functions, f"two functions are called {head[2]}: rename one")
            current = []
            functions[head[2]] = (int(head[1], 16), current)
            continue
        body = re.match(r"^\s+[0-9a-f]+:\s+(\S.*)$", line)
        if not body:
            continue
        words = body[1].split(None, 1)
        while len(words) > 1 and words[0] in PREFIXES:
            words = words[1].split(None, 1)
        # Behind a UD2 at its begin a function has no code.
        if not current or current[0][0] != "ud2":
            current.append((words[0], words[1] if len(words) > 1 else "", body[1]))
    return functions


def frame_of(name, code):
    """Bytes of stack that a function takes at most, its return address included."""
    size = 8
    for mnemonic, operands, text in code:
        if mnemonic.startswith("push"):
            size += 8
        elif mnemonic.startswith("and") and operands.endswith("%rsp"):
            size += -int(operands.split(",")[0].lstrip("$"), 16) % (1 << 64)
        elif operands.endswith(",%rsp") and not mnemonic.startswith(("cmp", "test")):
            constant = re.match(r"^\$(-?0x[0-9a-f]+),%rsp$", operands)
            restore = re.match(r"^(-?0x[0-9a-f]+)?\(%rbp\),%rsp$|^%rbp,%rsp$", operands)
            refuse(not constant and not restore, f"{name}: stack of unknown size: {text}")
            if constant and mnemonic.startswith(("sub", "add")):
                value = int(constant[1], 16)
                size += max(0, value if mnemonic.startswith("sub") else -value)
    return size


def without_part(name):
    """The function that a compiler's part of it (f.cold) belongs to: they share a frame."""
    return name.removesuffix(".cold")


def callees_of(name, code, functions):
    found = set()
    for mnemonic, operands, text in code:
        if not mnemonic.startswith(("call", "j")):
            continue
        pool = pool_call(operands)
        target = re.search(r"<([^+>]+)(\+0x[0-9a-f]+)?>", operands)
        refuse(not target and not pool, f"{name}: branch to nowhere known: {text}")
        if pool:
            found.add(pool)
        elif without_part(target[1]) == without_part(name) and not mnemonic.startswith("call"):
            found.add(target[1])
        else:
            refuse(target[2] or target[1] not in functions, f"{name}: branch into a function: {text}")
            found.add(target[1])
    return found - {name} if not calls_itself(name, code) else found


def calls_itself(name, code):
    return any(m.startswith("call") and f"<{name}>" in o for m, o, _ in code)


def reached_from(name, functions):
    """Names of the functions that a call of this one can reach, itself included."""
    reached, waiting = set(), [name]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += callees_of(name, functions[name][1], functions)
    return reached


def depth_of(name, functions, above=()):
    """Stack of a function and all it calls."""
    refuse(name in above, f"recursion: {' -> '.join(above + (name,))}")
    code = functions[name][1]
    # A function's part jumps back into it: that is no call.
    callees = callees_of(name, code, functions) - ({without_part(name)} if name.endswith(".cold") else set())
    below = [depth_of(callee, functions, above + (name,)) for callee in callees]
    return frame_of(name, code) + max(below, default=0)


def names_in(path, kinds):
    """Names of those kinds in an object or archive, as nm has them."""
    symbols = subprocess.run(["nm", path], check=True, capture_output=True, text=True).stdout
    return set(re.findall(rf"^[0-9a-f ]+ [{kinds}] (\S+)$", symbols, re.M))


def check_code(path, uplink=None, *objects):
    functions = disassemble(path)
    refuse(not functions, "no code")
    sse4 = names_in(uplink, "Tt") if uplink else set()
    # And what stands in for the rest of DPDK.
    drivers = {name for path in objects for name in names_in(path, "TtU")}
    reached = reached_from("elisa_image_enter", functions) if objects else set()
    for name, (_, code) in functions.items():
        if name in drivers and name not in reached:
            continue
        if name in drivers and [m for m, _, _ in code] == ["ud2"]:
            refuse(name not in TRAPS, f"a gate call can reach {name}")
            continue
        for instruction in code:
            if instruction[0] not in ALLOWED.get(name, ()):
                check_instruction(*instruction, name in sse4 | drivers, name in drivers)
    return functions


def check_usage(lines):
    """What -fstack-usage says of our functions: each frame's size is known."""
    refuse(not lines, "no -fstack-usage beside the objects")
    for line in lines:
        refuse(not line.endswith("\tstatic"), f"stack that depends on data: {line}")


def usage_of(folders):
    """Lines of all *.su in build folders."""
    lines = []
    for path in (path for folder in folders for path in sorted(pathlib.Path(folder).glob("*.su"))):
        lines += path.read_text(encoding="utf-8").splitlines()
    return lines


def layout_numbers(path):
    with open(path, encoding="utf-8") as header:
        text = header.read()
    window = int(re.search(r"#define ELISA_WINDOW_GVA (\w+?)ull", text)[1], 16)
    shared = int(re.search(r"#define ELISA_OFFSET_SHARED (\w+?)ull", text)[1], 16)
    text_max = int(re.search(r"#define ELISA_TEXT_MAX (\w+?)ull", text)[1], 16)
    return window + shared, window + shared + text_max


def check_file(path, layout):
    """The ELF file: two segments at their places, nothing to write, nothing to relocate."""
    text_at, rodata_at = layout_numbers(layout)
    with open(path, "rb") as image:
        data = image.read()
    refuse(data[:7] != b"\x7fELF\x02\x01\x01", "not a 64-bit ELF file")
    kind, machine, _, entry, phoff = struct.unpack_from("<HHIQQ", data, 16)
    phentsize, phnum = struct.unpack_from("<HH", data, 54)
    refuse((kind, machine) != (2, 62), "not a fixed x86-64 executable")
    loads = []
    for i in range(phnum):
        segment = struct.unpack_from("<IIQQQQQQ", data, phoff + i * phentsize)
        refuse(segment[0] not in (PT_LOAD, PT_GNU_STACK), f"segment of type {segment[0]:#x}")
        if segment[0] == PT_LOAD:
            loads.append(segment)
    refuse([(s[3], s[1]) for s in loads] != [(text_at, 5), (rodata_at, 4)], "segments are not at their places")
    refuse(any(s[5] != s[6] for s in loads), "memory that the file does not fill")
    refuse(entry != text_at, "entry is not the first byte of TEXT")
    refuse(struct.unpack_from("<Q", data, loads[1][2])[0] != IMAGE_MAGIC, "no header at the begin of RODATA")
    symbols = subprocess.run(["nm", path], check=True, capture_output=True, text=True).stdout
    refuse(re.search(r"^\s+[Uwv] ", symbols, re.M), "undefined symbols")
    sections = subprocess.run(["readelf", "-SW", path], check=True, capture_output=True, text=True).stdout
    loaded = re.findall(r"\] (\S+)\s+\w+\s+[0-9a-f]{16} .* ([WAXMSILOGTCxoEp]+)\s+\d+\s+\d+\s+\d+$", sections, re.M)
    refuse({n for n, flags in loaded if "A" in flags} - {".text", ".rodata", ".tdata", ".thread_block"}, f"sections: {loaded}")
    refuse(re.search(r"\bRELA?\b", sections), "relocations")
    return text_at


def assembled(source, check):
    """Run a check on a bit of assembly. True: refused."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "code.o")
        subprocess.run(["as", "-o", path, "-"], input=source, text=True, check=True)
        try:
            check(path)
        except Refused:
            return True
    return False


def check_the_checks():
    bad = ["syscall", "int $3", "vmfunc", "wrmsr", "in %dx,%al", "out %al,%dx", "rep insb", "fld1", "emms",
           "paddb %mm0,%mm1", "vpaddb %ymm0,%ymm1,%ymm2", "vzeroupper", "addsd %xmm0,%xmm1", "call *%rax",
           "call *8(%rbx)", "jmp *%rcx", "jmp *(,%rax,8)", "mov %fs:0,%rax", "lock incl %gs:(%rax)", "pshufb %xmm0,%xmm1",
           "popcnt %rax,%rbx", "mov %cr3,%rax", "mov %ds,%eax", "popf", "std", "rdtsc"]
    for text in bad:
        refuse(not assembled(f"f: {text}\nret\n", check_code), f"the check does not see: {text}")
    good = "f: push %rbx\nsub $0x20,%rsp\nmovups (%rsi),%xmm0\nlock cmpxchg %rdx,(%rdi)\nprefetchw (%rdi)\ncall g\nret\ng: ret\n"
    refuse(assembled(good, check_code), "the check refuses good code")
    refuse(assembled("elisa_clock_rdtsc: rdtsc\nret\n", check_code), "the check refuses the clock")

    def driver(path):
        check_code(path, None, path)

    start = "elisa_image_enter: call f\nret\nelisa_pool_enqueue: ret\n__rte_panic: ud2\nrte_log: ud2\ng: syscall\n"
    for text in ("call *0x68(%rax)", "call *0x70(%rax,%rbx,8)", "call rte_log", "call g", "vzeroupper", "mov %gs:0,%rax"):
        refuse(not assembled(f"{start}f: {text}\nret\n", driver), f"the check of drivers does not see: {text}")
    refuse(assembled(f"{start}f: call *0x70(%rax)\nmov %fs:0x28,%rax\ncall __rte_panic\n", driver),
           "the check of drivers refuses good code")
    refuse(not assembled("f: ret\nnop\n.L: ret\n.size f,1\n.globl f2\nf2: call *0x70(%rax)\n", check_code),
           "the check does not see: call through the pool's table in our own code")

    def depth(path):
        functions = check_code(path)
        refuse(depth_of("f", functions) > 1000, "deep")

    for lines in ([], ["f.c:1:1:f\t64\tdynamic"], ["f.c:1:1:f\t64\tdynamic,bounded"]):
        try:
            check_usage(lines)
        except Refused:
            continue
        refuse(True, f"the check of frames does not see: {lines}")
    refuse(assembled(good, depth), "the stack check refuses good code")
    for text in ("f: sub $0x1000,%rsp\nret\n", "f: sub %rax,%rsp\nret\n", "f: call g\nret\ng: call f\nret\n",
                 "f: call f\nret\n", "f: sub $0x200,%rsp\ncall g\nret\ng: sub $0x200,%rsp\nret\n",
                 "f: lea -0x800(%rsp),%rsp\nret\n", "f: sub $0x200,%rsp\njmp g\nnop\ng: sub $0x200,%rsp\nret\n"):
        refuse(not assembled(text, depth), f"the stack check does not see: {text}")


def main():
    if len(sys.argv) < 3 or sys.argv[1] == "--help":
        print(__doc__)
        return 0 if "--help" in sys.argv else 1
    try:
        check_the_checks()
        text_at = check_file(sys.argv[1], sys.argv[2])
        functions = check_code(sys.argv[1], *sys.argv[3:])
        refuse(functions.get("elisa_image_enter", (0,))[0] != text_at, "elisa_image_enter is not at byte 0 of TEXT")
        check_usage(usage_of(f"{path}.p" for path in sys.argv[1:2] + sys.argv[3:4]))
        depth = depth_of("elisa_image_enter", functions)
        refuse(depth > STACK_LIMIT, f"{depth} bytes of stack, at most {STACK_LIMIT} are allowed")
    except Refused as reason:
        print(f"{sys.argv[1]}: {reason}")
        return 1
    print(f"{sys.argv[1]}: {len(functions)} functions, at most {depth} bytes of stack")
    return 0


if __name__ == "__main__":
    sys.exit(main())
