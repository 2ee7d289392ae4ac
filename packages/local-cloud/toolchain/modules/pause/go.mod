module k8sfv.local/pause

go 1.24.0
