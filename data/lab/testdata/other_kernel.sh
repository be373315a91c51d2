#!/bin/bash
# Runs tests of data/lab that need no browser on another kernel, in a virtual machine, so that both ways of shaping are tested:
#
#     dpkg -x linux-image-VERSION.deb kernel       # Debian's cloud kernels have tbf and netem as modules
#     data/lab/testdata/other_kernel.sh kernel
#
# qemu-system-x86, busybox-static, cpio, xz-utils and Go are needed, root is not. QEMU="-enable-kvm -cpu host" is faster where it is to be had.
# Tried with Linux 6.1.192 and 6.12.117: tbf, netem, both, and neither.
set -euo pipefail
kernel=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$root"/{bin,proc,sys,dev,tmp,run,modules}
(cd "$(dirname "$0")/.." && CGO_ENABLED=0 go test -c -o "$root/lab.test" .)
cp "$(command -v busybox)" "$root/bin/busybox"
for m in veth sch_tbf sch_netem; do
	file=$(find "$kernel" -name "$m.ko*" | head -1)
	case $file in
	*.xz) xz -dc "$file" >"$root/modules/$m.ko" ;;
	*) cp "$file" "$root/modules/" ;;
	esac
done
cat >"$root/init" <<'I'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for m in /modules/*.ko; do insmod $m; done
uname -r
/lab.test -test.v -test.run 'Rig|Qdiscs|Shaper' 2>&1
echo "exit status $?"
poweroff -f
I
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc 2>/dev/null | gzip -1) >"$work/initrd"
qemu-system-x86_64 ${QEMU:--accel tcg,thread=multi -cpu max} -smp 2 -m 1024 -nographic -no-reboot -append "console=ttyS0 quiet panic=-1" \
	-kernel "$(find "$kernel" -name 'vmlinuz*' | head -1)" -initrd "$work/initrd" | tee "$work/log"
grep -q '^exit status 0' "$work/log"
