# sandbox.sh BINARIES ACCELERATOR: the tests of the sandbox, as `swift test --filter SandboxTests` runs them. Those that
# need version 1 skip themselves. Where the processor is emulated, those that measure how soon 610 boxes end say nothing.
skip='--skip RemovedLayerTests' && echo 'Left out, as there is no compiler: RemovedLayerTests'
case $2 in tcg*) skip="$skip --skip KillTests" && echo 'Left out with an emulated processor: KillTests' ;; esac
export FAASD_BIN=$1
exec "$1"/*.xctest --testing-library swift-testing --filter SandboxTests $skip
