set part {xc7z020clg484-1}
