#!/bin/sh
# Writes ndpi_capinfos.csv: what capinfos counts in every capture of the nDPI pack, and the payload of TCP and UDP packets
# by the header fields that tshark reads: IP length less IP header less transport header, of the outermost IP header,
# later fragments left out.
# usage: gen_capinfos.sh PACKS/ndpi/ndpi/pcap > ndpi_capinfos.csv
set -e
echo "# $(capinfos -v | head -1); $(tshark -v | head -1)"
echo "file,packets,data_bytes,tcp_udp_payload"
for f in "$1"/*.pcap "$1"/*.pcapng; do
	counts=$(capinfos -TMrcd "$f" | cut -f2,3 | tr '\t' ',')
	payload=$(tshark -n -r "$f" -o ip.defragment:FALSE -o ipv6.defragment:FALSE -T fields -E occurrence=f -E separator=, \
		-e frame.protocols -e ip.proto -e ip.len -e ip.hdr_len -e ip.frag_offset -e ipv6.nxt -e ipv6.plen \
		-e tcp.hdr_len -e tcp.srcport -e udp.srcport |
		awk -F, '{
			outer = match($1, /(^|:)ip(v6)?(:|$)/) ? substr($1, RSTART, RLENGTH) : ""
			if (outer ~ /6/) { p = $6; l4 = $7; if (p == 44) { l4 -= 8; p = $10 != "" ? 17 : $9 != "" ? 6 : 0 } }
			else if (outer != "") { if ($5 != 0) next; p = $2; l4 = $3 - $4 }
			else next
			if (p == 6 && $8 == "") next # cut before its length
			if (p == 6 && $9 != "") l4 -= $8; else if (p == 17 && $10 != "") l4 -= 8; else next
			if (l4 > 0) n += l4 } END { printf "%d", n }')
	echo "$(basename "$f"),$counts,$payload"
done
