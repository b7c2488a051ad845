# corpus.sh SECONDS [ID,…]: the corpus of attacks, or these of it, against a daemon within a unit that is confined as
# faasd.service is, but for what the judges need: capabilities to look into boxes, and places for state of their own.
seconds=$1 only=${2-}
kept='Delegate|OOMPolicy|OOMScoreAdjust|TasksMax|LimitNOFILE|UMask|NoNewPrivileges|DevicePolicy|ProtectKernelModules'
kept="$kept|ProtectClock|RestrictRealtime|RestrictAddressFamilies|SystemCallArchitectures"
kept="$kept|SystemCallFilter|SystemCallErrorNumber|KeyringMode"
log=/run/faasd-corpus.log

cat >/run/systemd/system/faasd-corpus.service <<END
[Service]
Type=oneshot
TimeoutStartSec=$seconds
StandardOutput=append:$log
StandardError=append:$log
Environment=FAASD_BIN=/usr/local/bin
ExecStart=/bin/sh $PWD/scripts/v2/in-leaf.sh /usr/bin/python3 -u -B /usr/local/share/faasd/Attacks/selftest.py --patient --only "$only"
$(grep -E "^($kept)=" /usr/local/lib/systemd/system/faasd.service)
END
systemctl daemon-reload
status=0
systemctl start faasd-corpus.service || status=$?
cat $log
exit $status
