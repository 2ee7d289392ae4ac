module k8sfv.local/machine-init

go 1.26
