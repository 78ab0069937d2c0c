"""The lab `sharpness`: is focused attention really sharper than softmax?"""
