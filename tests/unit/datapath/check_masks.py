#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Check the index masks of the trusted code in the binary (vswitch/datapath/mask.h).

usage: check_masks.py BUILD_ROOT IMAGE

A mask is `cmp limit,value` and `sbb r,r`. It is good if r comes into an `and` whose result is then part
of an address, or is kept, tested or passed on as an argument; if not both of what is compared are constants; and
if nothing between the last branch and the mask reads memory at the value.

For each of SITES the source is compiled as the image's is, with a mark at that mask: it is found in the
function, and all masks there are good. Compiled once more with the mask made and not used, it must be
refused. The linked image has as many masks as the object. No source has a mask that SITES lacks. First
the checks are shown code that they must refuse. Exit status 0: all is well.
"""
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
DATAPATH, UPLINK = "vswitch/datapath/", "vswitch/uplink/"
# File, the mask in it, the source to compile, the function that has the mask there.
SITES = [
    (DATAPATH + "call.c", "elisa_below_mask(port, ELISA_MAX_PORTS)", "call.c", "elisa_datapath_call"),
    (DATAPATH + "call.c", "elisa_below_mask(queue, ELISA_MAX_QUEUES)", "call.c", "elisa_datapath_call"),
    (DATAPATH + "tx.c", "elisa_below_mask(count, size + 1ull)", "tx.c", "elisa_transmit"),
    (DATAPATH + "gather.c", "elisa_below_mask(index, sender->nb_descs)", "gather.c", "elisa_gather"),
    (DATAPATH + "region.h", "elisa_below_mask(offset, view->length - length + 1)", "gather.c", "elisa_gather"),
    (DATAPATH + "region.h", "elisa_below_mask(length, view->length + 1)", "gather.c", "elisa_gather"),
    (DATAPATH + "region.h", "elisa_below_mask(offset, view->length - length + 1)", "deliver.c", "elisa_deliver"),
    (DATAPATH + "region.h", "elisa_below_mask(length, view->length + 1)", "deliver.c", "elisa_deliver"),
    (DATAPATH + "region.c", "elisa_below_mask(i, nb)", "region.c", "elisa_view_find"),
    (DATAPATH + "headers.h", "elisa_below_mask(at, packet->header_length)", "headers.c", "elisa_headers_read"),
    (DATAPATH + "headers.h", "elisa_below_mask(at + 1, packet->header_length)", "headers.c", "elisa_headers_read"),
    (DATAPATH + "headers.h", "elisa_below_mask(at + 1, packet->header_length)", "headers.c", "elisa_headers_l4_length"),
    (DATAPATH + "headers.h", "elisa_below_mask(at + 3, packet->header_length)", "rss.c", "elisa_rss_hash"),
    (DATAPATH + "headers.h", "elisa_below_mask(at, packet->header_length)", "offload.c", "elisa_offload_header_length"),
    (DATAPATH + "headers.h", "elisa_below_mask(at, packet->header_length)", "guard.c", "elisa_guard_allows"),
    (DATAPATH + "offload.c", "elisa_below_mask(differs, 1)", "offload.c", "elisa_offload_check"),
    (DATAPATH + "cut.c", "elisa_below_mask(cut->header_length, ELISA_LONG_HEADER + 1)", "cut.c", "elisa_cut_begin"),
    (DATAPATH + "route.c", "elisa_below_mask(port, ELISA_MAX_PORTS)", "route.c", "elisa_route"),
    (DATAPATH + "deliver.c", "elisa_below_mask(0, d->queue_map.rx_size)", "deliver.c", "elisa_deliver"),
    (DATAPATH + "journal.c", "elisa_below_mask(owner, ELISA_MAX_VCPUS)", "journal.c", "elisa_journal_claim"),
    (DATAPATH + "journal.c", "elisa_below_mask(0, size)", "journal.c", "elisa_journal_finish_own"),
    (DATAPATH + "checksum.c", "elisa_below_mask(from, pieces[i].length)", "checksum.c", "elisa_checksum_fill"),
    (DATAPATH + "checksum.c", "elisa_below_mask(at, pieces[i].length)", "checksum.c", "elisa_checksum_fill"),
    (UPLINK + "transmit.c", "elisa_below_mask(index, ELISA_MAX_UPLINKS)", "transmit.c", "elisa_uplink_transmit"),
    (UPLINK + "receive.c", "elisa_below_mask(index, ELISA_MAX_UPLINKS)", "receive.c", "elisa_uplink_poll"),
]
MARK = "nopw 0x4d41(%rax)"
MARKED = f"""
static inline unsigned long long elisa_marked_mask(unsigned long long value, unsigned long long limit)
{{
	unsigned long long mask;

	asm volatile("{MARK.replace("%", "%%")}; cmp %2, %1; sbb %0, %0" : "=r"(mask) : "r"(value), "r"(limit) : "cc");
	return mask;
}}
"""
STATES_MAX = 20000
ARGUMENTS = {"di", "si", "d", "c", "8", "9"}
COPIES = ("mov", "movl", "movq", "movzwl", "movzbl", "movslq")


class Refused(Exception):
    """The masks are not as they must be."""


def family(register):
    """Name of the 64-bit register that it is part of: eax, rax and al are `a`."""
    name = register.lstrip("%")
    match = re.match(r"^r(\d+)[dwb]?$", name)
    if match:
        return match[1]
    name = re.sub(r"^[re](?=[abcds])", "", name)
    return name[0] if name in ("ax", "bx", "cx", "dx", "al", "bl", "cl", "dl") else name.removesuffix("l")


def split(operands):
    return [part.strip() for part in re.findall(r"(?:\([^)]*\)|[^,(])+", operands.split(" <")[0].split(" #")[0])]


def address_of(operand):
    """Registers that a memory operand's address is made of."""
    match = re.search(r"\(([^)]*)\)", operand)
    return {family(r) for r in re.findall(r"%\w+", match[1])} if match else set()


def is_register(operand):
    return operand.startswith("%")


class Function:
    """Instructions of a function, and what follows each."""

    def __init__(self, lines):
        self.code = []
        self.at = {}
        for address, mnemonic, operands in lines:
            self.at[address] = len(self.code)
            self.code.append((mnemonic, split(operands), operands))

    def next(self, i):
        mnemonic, _, operands = self.code[i]
        following = []
        if mnemonic.startswith("j"):
            target = operands.split()[0]
            if target in self.at:
                following.append(self.at[target])
        if mnemonic not in ("jmp", "ret", "retq", "ud2") and i + 1 < len(self.code):
            following.append(i + 1)
        return following

    def masks(self):
        """Places of all `cmp` that are followed by `sbb r,r` with both operands in registers."""
        for i in range(len(self.code) - 1):
            mnemonic, operands, _ = self.code[i + 1]
            if self.code[i][0] == "cmp" and mnemonic == "sbb" and len(operands) == 2 and \
                    operands[0] == operands[1] and all(map(is_register, self.code[i][1])):
                yield i


def written(mnemonic, operands):
    """The register that an instruction overwrites, or None."""
    if not operands or mnemonic.startswith(("cmp", "test", "j", "push", "prefetch", "call")):
        return None
    return family(operands[-1]) if is_register(operands[-1]) else None


def is_constant(function, i, register):
    """Was the register given a constant right before instruction i, with no label to think of?"""
    for mnemonic, operands, _ in reversed(function.code[max(0, i - 40):i]):
        if mnemonic.startswith(("j", "ret")):
            return False
        if written(mnemonic, operands) == register:
            return mnemonic.startswith("mov") and operands[0].startswith("$") or \
                mnemonic == "xor" and operands[0] == operands[1]
    return False


def used_before(function, i, register):
    """Between the last branch and the mask at i: is memory read at the value?"""
    for mnemonic, operands, _ in reversed(function.code[max(0, i - 40):i]):
        if mnemonic.startswith(("j", "call", "ret")) or written(mnemonic, operands) == register:
            return False
        if not mnemonic.startswith(("lea", "nop")) and any(register in address_of(o) for o in operands):
            return True
    return False


def step(instruction, masks, masked):
    """The two sets of registers after an instruction; None: what is masked was used."""
    mnemonic, operands, _ = instruction
    if mnemonic.startswith("call"):
        return None if masked & ARGUMENTS else (masks & {"b", "bp", "12", "13", "14", "15"},
                                                masked & {"b", "bp", "12", "13", "14", "15"})
    if mnemonic.startswith("ret"):
        return None if "a" in masked else (masks, masked)
    if not mnemonic.startswith(("lea", "nop")) and any(address_of(o) & masked for o in operands):
        return None
    # Is there an address at all?
    if mnemonic == "test" and {family(o) for o in operands if is_register(o)} & (masks | masked):
        return None
    if not operands:
        return masks, masked
    sources = {family(o) for o in operands[:-1] if is_register(o)}
    if mnemonic.startswith("lea"):
        sources = address_of(operands[0])
    if not is_register(operands[-1]):
        stores = mnemonic.startswith(("mov", "and", "or", "add")) and sources & masked
        # A mask that memory is and-ed with is not looked for: the compilers do not do that.
        return None if stores else (masks, masked)
    target = written(mnemonic, operands)
    if target is None:
        return masks, masked
    reads_target = not mnemonic.startswith(("mov", "lea", "set", "pop"))
    if mnemonic.startswith("and") and (sources | {target}) & masks:
        both = target in masks and sources & masks
        return (masks, masked - {target}) if both else (masks - {target}, masked | {target})
    carries = sources & masked or (reads_target and target in masked)
    copies = mnemonic in COPIES and sources & masks
    return (masks | {target} if copies else masks - {target}), (masked | {target} if carries else masked - {target})


def is_used(function, i):
    """Does the mask made at i and i + 1 come into an address, an argument, a result or memory?"""
    start = frozenset({family(function.code[i + 1][1][0])})
    waiting = [(n, start, frozenset()) for n in function.next(i + 1)]
    seen = set()
    while waiting and len(seen) < STATES_MAX:
        state = waiting.pop()
        if state in seen:
            continue
        seen.add(state)
        after = step(function.code[state[0]], set(state[1]), set(state[2]))
        if after is None:
            return True
        if after[0] or after[1]:
            waiting += [(n, frozenset(after[0]), frozenset(after[1])) for n in function.next(state[0])]
    return False


def good_masks(name, function):
    """Numbers of masks in a function and of those with a mark; Refused if one is not good."""
    count = marked = 0
    for i in function.masks():
        limit, value = (family(o) for o in function.code[i][1])
        where = f"{name}: {function.code[i][2]}"
        if is_constant(function, i, limit) and is_constant(function, i, value):
            raise Refused(f"{where}: the mask is a constant")
        if used_before(function, i, value):
            raise Refused(f"{where}: used before it is masked")
        if not is_used(function, i):
            raise Refused(f"{where}: nothing uses the mask")
        count += 1
        marked += i > 0 and function.code[i - 1][0].startswith("nop") and function.code[i - 1][2] in MARK
    return count, marked


def disassemble(path):
    functions, lines = {}, None
    output = subprocess.run(["objdump", "-d", "--no-show-raw-insn", path], check=True, capture_output=True,
                            text=True).stdout
    for line in output.splitlines():
        head = re.match(r"^[0-9a-f]+ <(.+)>:$", line)
        body = re.match(r"^\s+([0-9a-f]+):\s+(\S+)\s*(.*)$", line)
        if head:
            lines = functions.setdefault(head[1], [])
        elif body:
            words = [body[2]] + body[3].split(None, 1)
            while words[0] in ("lock", "rep", "repz", "data16", "cs") and len(words) > 1:
                words = words[1:2] + (words[2].split(None, 1) if len(words) > 2 else [])
            lines.append((body[1], words[0], " ".join(words[1:])))
    return {name: Function(lines) for name, lines in functions.items()}


def masks_of(path, name):
    """The same for a function of an object or image and its parts (name.part.0 and so on)."""
    found = [good_masks(part, function) for part, function in disassemble(path).items()
             if part == name or part.startswith(name + ".")]
    return sum(count for count, _ in found), sum(marked for _, marked in found)


class Compiler:
    """Compiles sources the way the trusted image has them, maybe with other text in one file."""

    def __init__(self, build, folder):
        self.build = build
        self.folder = folder
        commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
        self.commands = {pathlib.Path(c["file"]).name: c for c in commands
                         if "elisa-image.elf.p" in c["output"] or "uplink_image.a.p" in c["output"]}
        self.count = 0

    def compile(self, source, changed, text):
        """The object of a source; the file `changed` of the checkout has that text."""
        command = self.commands[source]
        original = (self.build / command["file"]).resolve()
        self.count += 1
        place = self.folder / str(self.count)
        words = shlex.split(command["command"])
        (place / changed).parent.mkdir(parents=True)
        (place / changed).write_text(text, encoding="utf-8")
        (place / "marked.h").write_text(MARKED, encoding="utf-8")
        file = place / changed if ROOT / changed == original else original
        words = words[:1] + [f"-I{place}", f"-I{original.parent}"] + words[1:words.index("-MD")]
        subprocess.run([*words, "-Wno-error", "-include", place / "marked.h", "-o", place / "out.o", "-c", file],
                       cwd=self.build, check=True, capture_output=True)
        return place / "out.o"


def check_site(compiler, image, site):
    path, mask, source, name = site
    text = (ROOT / path).read_text(encoding="utf-8")
    if " ".join(text.split()).count(mask) != 1:
        raise Refused(f"{path} does not have once: {mask}")
    pattern = re.compile(r"\s+".join(map(re.escape, mask.split())))
    marked_mask = mask.replace("elisa_below_mask", "elisa_marked_mask")
    count, marked = masks_of(compiler.compile(source, path, pattern.sub(marked_mask, text)), name)
    linked, _ = masks_of(image, name)
    if not marked:
        raise Refused(f"{name} of {source} does not have {mask}")
    if linked < count:
        raise Refused(f"{name}: {linked} masks in the image, {count} in the object")
    try:
        masks_of(compiler.compile(source, path, pattern.sub(f"((void){marked_mask}, ~0ull)", text)), name)
    except Refused:
        return
    raise Refused(f"{name} of {source}: the check does not see that nothing uses {mask}")


def check_sources():
    """Each mask in a source is one of SITES."""
    known = {(path, mask) for path, mask, _, _ in SITES}
    for folder in (DATAPATH, UPLINK):
        for path in sorted((ROOT / folder).glob("*.[ch]")):
            text = " ".join(path.read_text(encoding="utf-8").split())
            used = text.count("elisa_below_mask(") - (path.name == "mask.h")
            listed = sum(1 for p, _ in known if p == folder + path.name)
            if used != listed:
                raise Refused(f"{path}: {used} masks, {listed} in SITES of {__file__}")


def refused(folder, source):
    path = folder / "code.o"
    subprocess.run(["as", "-o", path, "-"], input=source, text=True, check=True)
    try:
        return not masks_of(path, "f")[0]
    except Refused:
        return True


def check_the_checks(folder):
    mask = "cmp %rsi,%rdi\nsbb %rax,%rax\n"
    for text in ("mov (%rdx,%rdi,8),%rax\nret\n", mask + "mov (%rdx,%rdi,8),%rax\nret\n",
                 mask + "xor %eax,%eax\nand %rax,%rdi\nmov (%rdx,%rdi,8),%rax\nret\n",
                 mask + "and %rdi,%rax\nmov (%rdx,%rdi,8),%rax\nret\n",
                 "mov (%rdx,%rdi,8),%rcx\n" + mask + "and %rdi,%rax\nmov (%rdx,%rax,8),%rax\nret\n",
                 "mov $1,%esi\nxor %edi,%edi\n" + mask + "and %rdi,%rax\nmov (%rdx,%rax,8),%rax\nret\n"):
        if not refused(folder, "f: " + text):
            raise Refused(f"the check does not see: {text}")
    for text in (mask + "and %rax,%rdi\nmov (%rdx,%rdi,8),%rax\nret\n",
                 mask + "mov %rax,%rcx\nand %edi,%ecx\nje 1f\nlea (%rdx,%rcx),%r8\n1: mov (%r8),%rax\nret\n",
                 mask + "and %rax,%rdi\ncall g\nret\n", mask + "and %edi,%eax\nmov %eax,8(%rsp)\nret\n"):
        if refused(folder, "f: " + text):
            raise Refused(f"the check refuses good code: {text}")


def main():
    if len(sys.argv) != 3 or sys.argv[1] == "--help":
        print(__doc__)
        return 0 if "--help" in sys.argv else 1
    build, image = pathlib.Path(sys.argv[1]).resolve(), os.path.abspath(sys.argv[2])
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        compiler = Compiler(build, folder)
        checks = [lambda: check_the_checks(folder), check_sources]
        checks += [lambda site=site: check_site(compiler, image, site) for site in SITES]
        for check in checks:
            try:
                check()
            except Refused as reason:
                print(reason)
                failed = 1
    print(f"{len(SITES)} masks")
    return failed


if __name__ == "__main__":
    sys.exit(main())
